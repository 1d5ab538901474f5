/** readme.test.ts: the examples in the READMEs do what they say. */
import { describe } from 'vitest';
import { testReadme } from '../../lwkt/test/readme.ts';

for (const folder of ['treesum', 'httpd', 'pipeline', 'sieve', 'echo', 'talk', 'load', 'busy'])
  describe(folder, () => testReadme(new URL(`../${folder}/README.md`, import.meta.url), 1));
