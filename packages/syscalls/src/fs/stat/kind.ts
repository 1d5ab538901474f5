/** kind.ts: what an open file is, without making a Stats of it. */
import { readU64 } from '../../codec/words.ts';
import { failure } from '../../failure.ts';
import { constants as c } from '../../generated/constants.ts';
import { send } from '../../port/send.ts';
import { STATX_MASK, STATX_SIZE } from './stats.ts';

export interface Kind {
  type: number;
  mode: number;
  size: number;
  /** Which file it is. */
  id: string;
}

/** name: whose error it is when it can't be asked. */
export function kindOf(name: string, fd: number): Kind {
  const struct = Buffer.allocUnsafe(STATX_SIZE);
  const reply = send(c.SYS_statx, fd, '', c.AT_EMPTY_PATH, STATX_MASK, struct);
  if (reply < 0) throw failure(reply, name);
  const mode = struct.readUInt16LE(28);
  const size = readU64(struct, 40);
  return {
    type: mode & c.S_IFMT,
    mode,
    size,
    id: struct.toString('hex', 32, 40) + struct.toString('hex', 136, 144),
  };
}
