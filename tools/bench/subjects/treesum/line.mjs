// What all treesum subjects print for one file: sha256sum's format. The generated names need no escaping.
import { createHash } from 'node:crypto';

export function line(path, content) {
  return `${createHash('sha256').update(content).digest('hex')}  ${path}`;
}
