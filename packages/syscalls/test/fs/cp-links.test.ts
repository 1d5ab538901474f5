/** cp-links.test.ts: cp of @libcr/syscalls/fs beside node:fs': into itself by way of a link, a link over a link, names that are not UTF-8. */
import nodeFs from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import ownFs from '../../src/fs/index.ts';
import { temporaryFolder } from '../support.ts';
import { besideNode, type Scenario } from './beside-node.ts';

type Copy = (fs: typeof nodeFs, from: string, to: string, options: nodeFs.CopySyncOptions) => unknown;

const FORMS: Record<string, Copy> = {
  cpSync: (fs, from, to, options) => fs.cpSync(from, to, options),
  'promises.cp': (fs, from, to, options) => fs.promises.cp(from, to, options),
};

/** What is there, and where its links lead. */
function listing(folder: string): string[] {
  return nodeFs
    .readdirSync(folder, { recursive: true, withFileTypes: true })
    .map((entry) => {
      const path = join(entry.parentPath, entry.name);
      return entry.isSymbolicLink() ? `${path} -> ${nodeFs.readlinkSync(path)}` : path;
    })
    .sort();
}

/** The code of the error, and what is there then. Node's cpSync has texts of its own. */
const copying =
  (copy: Copy, prepare: (folder: string) => [to: string, options: nodeFs.CopySyncOptions]): Scenario =>
  async (fs, folder) => {
    nodeFs.mkdirSync(join(folder, 'from/deep'), { recursive: true });
    nodeFs.writeFileSync(join(folder, 'from/file'), 'content');
    const [to, options] = prepare(folder);
    let code: unknown;
    try {
      await copy(fs, join(folder, 'from'), join(folder, to), options);
    } catch (error) {
      ({ code } = error as NodeJS.ErrnoException);
    }
    // How far it has come by an error depends on the order of names.
    return code ?? listing(folder);
  };

const CASES: Record<string, (folder: string) => [to: string, options: nodeFs.CopySyncOptions]> = {
  'below a link to itself': (folder) => {
    nodeFs.symlinkSync(join(folder, 'from'), join(folder, 'link'));
    return ['link/below', { recursive: true }];
  },
  'below a link to itself, without recursive': (folder) => {
    nodeFs.symlinkSync(join(folder, 'from'), join(folder, 'link'));
    return ['link/below', {}];
  },
  'a link to a file over the same': (folder) => {
    nodeFs.symlinkSync(join(folder, 'from/file'), join(folder, 'from/link'));
    nodeFs.mkdirSync(join(folder, 'to'));
    nodeFs.symlinkSync(join(folder, 'from/file'), join(folder, 'to/link'));
    return ['to', { recursive: true }];
  },
  'a link to a directory over the same': (folder) => {
    nodeFs.symlinkSync(join(folder, 'from/deep'), join(folder, 'from/link'));
    nodeFs.mkdirSync(join(folder, 'to/deep'), { recursive: true });
    nodeFs.symlinkSync(join(folder, 'from/deep'), join(folder, 'to/link'));
    return ['to', { recursive: true }];
  },
  'a link over one to a directory above': (folder) => {
    nodeFs.symlinkSync(join(folder, 'from/deep'), join(folder, 'from/link'));
    nodeFs.mkdirSync(join(folder, 'to/deep'), { recursive: true });
    nodeFs.symlinkSync(join(folder, 'from'), join(folder, 'to/link'));
    return ['to', { recursive: true }];
  },
};

besideNode(
  Object.fromEntries(
    Object.entries(CASES).flatMap(([name, prepare]) =>
      Object.entries(FORMS).map(([form, copy]) => [`${form}: ${name}`, copying(copy, prepare)]),
    ),
  ),
);

test.each(Object.entries(FORMS))(
  '%s: names that are not UTF-8, of files, directories and links',
  async (_form, copy) => {
    const folder = temporaryFolder();
    const at = (...parts: string[]): Buffer => Buffer.from([folder, ...parts].join('/'), 'latin1');
    nodeFs.mkdirSync(at('from', 'd\xff'), { recursive: true });
    nodeFs.writeFileSync(at('from', 'd\xff', 'f\xe4'), 'content');
    nodeFs.symlinkSync(Buffer.from('d\xff/f\xe4', 'latin1'), at('from', 'l\xfe'));
    await copy(ownFs as never, join(folder, 'from'), join(folder, 'to'), {
      recursive: true,
      filter: (from) => typeof from === 'string',
    });
    expect(nodeFs.readFileSync(at('to', 'd\xff', 'f\xe4'), 'utf8')).toBe('content');
    expect(nodeFs.readlinkSync(at('to', 'l\xfe'), 'latin1')).toBe('d\xff/f\xe4');
  },
);
