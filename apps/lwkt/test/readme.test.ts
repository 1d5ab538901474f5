/** readme.test.ts: the examples in README.md do what it says, and its help is the command's. */
import { testReadme } from './readme.ts';

testReadme(new URL('../README.md', import.meta.url), 5);
