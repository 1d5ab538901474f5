/** promises.ts: node:fs/promises over the port. */
import nodeFs from 'node:fs';
import { curthread } from '@libcr/core';
import { checkPath, isFd } from '../arguments/arguments.ts';
import { open as openWork } from '../arguments/descriptors.ts';
import { appendFileInChunks, readFileOfPromises, writeFileInChunks } from '../files.ts';
import { type GlobAsync, globAsync } from '../glob/glob.ts';
import { type FileHandle, handleOf } from '../handles/file-handle.ts';
import { isFileHandle } from '../handles/node-class.ts';
import { onPathsPromised } from '../operations.ts';
import { mkdtempDisposable } from '../trees/temporary.ts';
import { watchAsync } from '../watch/watch.ts';
import { withAsyncFrames } from './async-frames.ts';
import { type Operation, promised } from './forms.ts';

type NodePromises = typeof nodeFs.promises;
type Missing = 'lchmod';

/** What not every Node's node:fs/promises has. */
interface OfNewerNodes {
  glob: GlobAsync;
  mkdtempDisposable: typeof mkdtempDisposable;
}

type OwnPromises = Omit<NodePromises, Missing | keyof OfNewerNodes> & OfNewerNodes;

/** A FileHandle where node:fs takes one. It has the same methods. */
const handled =
  (name: string, operation: Operation<unknown>) =>
  async (file: unknown, ...rest: unknown[]): Promise<unknown> => {
    if (isFileHandle(file)) return file[name]?.(...rest);
    try {
      return await operation(isFd(file) ? checkPath(file) : file, ...rest).promise();
    } catch (error) {
      throw withAsyncFrames(error);
    }
  };

const forms = Object.fromEntries(
  Object.entries(onPathsPromised).map(([name, operation]) => [
    name,
    promised(operation as Operation<unknown>),
  ]),
);

async function open(path: unknown, flags?: unknown, mode?: unknown): Promise<FileHandle> {
  return handleOf(promised(openWork)(path, flags, mode), curthread().syscallPort, path);
}

/** fs.promises; its types are node:fs'. */
export const promises: OwnPromises = {
  ...forms,
  open,
  readFile: handled('readFile', readFileOfPromises),
  writeFile: handled('writeFile', writeFileInChunks),
  appendFile: handled('appendFile', appendFileInChunks),
  glob: globAsync,
  mkdtempDisposable,
  watch: watchAsync,
  constants: nodeFs.constants,
} as unknown as OwnPromises;
