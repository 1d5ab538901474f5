// Each document below docs/ has its link in docs/README.md (of decisions and measurements the folder has), and each link there leads somewhere.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const docs = join(import.meta.dirname, '..', '..', 'docs');
const index = readFileSync(join(docs, 'README.md'), 'utf8');
const links = [...index.matchAll(/\]\(([^)#]+)[^)]*\)/g)].map(([, link]) => link);
const documents = readdirSync(docs, { recursive: true })
  .filter((file) => file.endsWith('.md') && file !== 'README.md' && !/^decisions\//.test(file))
  .concat('decisions');

const faults = [
  ...documents.filter((file) => !links.includes(file)).map((file) => `docs/README.md has no link to ${file}`),
  ...links
    .filter((link) => !existsSync(join(docs, link)))
    .map((link) => `docs/README.md: there is no ${link}`),
];
for (const fault of faults) console.error(fault);
console.log(`docs/README.md: ${documents.length} documents, ${faults.length} faults`);
process.exitCode = faults.length > 0 || documents.length < 2 ? 1 : 0;
