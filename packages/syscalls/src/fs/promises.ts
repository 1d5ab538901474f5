/** promises.ts: node:fs/promises over the port. */
import nodeFs from 'node:fs';
import { curthread } from '@libcr/core';
import { through } from '../port/syscall-port.ts';
import { open as openWork } from './descriptors.ts';
import { FileHandle } from './file-handle.ts';
import { appendFileInChunks, readFile, writeFileInChunks } from './files.ts';
import { type Operation, promised } from './forms.ts';
import { type GlobAsync, globAsync } from './glob.ts';
import { onPaths } from './operations.ts';
import { mkdtempDisposable } from './temporary.ts';
import { watchAsync } from './watch.ts';

type NodePromises = typeof nodeFs.promises;
type Missing = 'lchmod';

/** What not every Node's node:fs/promises has. */
interface OfNewerNodes {
  glob: GlobAsync;
  mkdtempDisposable: typeof mkdtempDisposable;
}

type OwnPromises = Omit<NodePromises, Missing | keyof OfNewerNodes> & OfNewerNodes;

/** A FileHandle where node:fs takes one. */
const handled =
  (operation: (...args: unknown[]) => ReturnType<typeof readFile | typeof writeFileInChunks>) =>
  async (file: unknown, ...rest: unknown[]): Promise<unknown> =>
    file instanceof FileHandle
      ? through(file.port, () => operation(file.fd, ...rest).promise())
      : operation(file, ...rest).promise();

const forms = Object.fromEntries(
  Object.entries(onPaths).map(([name, operation]) => [name, promised(operation as Operation<unknown>)]),
);

async function open(...args: unknown[]): Promise<FileHandle> {
  const [path, flags, mode] = args;
  const port = curthread().syscallPort;
  return new FileHandle(await openWork(path, flags, mode).promise(), port);
}

/** fs.promises; its types are node:fs'. */
export const promises: OwnPromises = {
  ...forms,
  open,
  readFile: handled(readFile as never),
  writeFile: handled(writeFileInChunks as never),
  appendFile: handled(appendFileInChunks as never),
  glob: globAsync,
  mkdtempDisposable,
  watch: watchAsync,
  constants: nodeFs.constants,
} as unknown as OwnPromises;
