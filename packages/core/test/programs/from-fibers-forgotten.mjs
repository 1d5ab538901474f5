// A userthread that nobody has or can wake. See from-fibers.test.ts.
import { create, wait } from '@libcr/core';

create(() => wait(new Promise(() => {})), { name: 'forgotten' });
