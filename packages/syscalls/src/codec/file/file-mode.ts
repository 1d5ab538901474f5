/** file-mode.ts: the type in a st_mode, as questions: what Stat and Statx share. */
import { constants } from '../../generated/constants.ts';

export abstract class FileMode {
  /** Type and permissions. */
  readonly mode: number;

  constructor(mode: number) {
    this.mode = mode;
  }

  isFile(): boolean {
    return this.isType(constants.S_IFREG);
  }

  isDirectory(): boolean {
    return this.isType(constants.S_IFDIR);
  }

  isSymbolicLink(): boolean {
    return this.isType(constants.S_IFLNK);
  }

  isFIFO(): boolean {
    return this.isType(constants.S_IFIFO);
  }

  isSocket(): boolean {
    return this.isType(constants.S_IFSOCK);
  }

  isCharacterDevice(): boolean {
    return this.isType(constants.S_IFCHR);
  }

  isBlockDevice(): boolean {
    return this.isType(constants.S_IFBLK);
  }

  private isType(type: number): boolean {
    return (this.mode & constants.S_IFMT) === type;
  }
}
