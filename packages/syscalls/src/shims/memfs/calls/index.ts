/** calls: the system calls that memfs answers, by their names, one file for each group. */
import type { Handlers } from '../call.ts';
import { attributeCalls } from './attributes.ts';
import { copyingCalls } from './copying.ts';
import { descriptorCalls } from './descriptors.ts';
import { directoryCalls } from './directories.ts';
import { watchingCalls } from './inotify.ts';
import { linkCalls } from './links.ts';
import { listingCalls } from './listing.ts';
import { openCalls } from './open.ts';
import { otherCalls } from './others.ts';
import { positionCalls } from './position.ts';
import { processCalls } from './process.ts';
import { readWriteCalls } from './read-write.ts';
import { readinessCalls } from './readiness.ts';
import { renameCalls } from './rename.ts';
import { statusCalls } from './status.ts';
import { xattrCalls } from './xattr.ts';

const ofFiles: Handlers = {
  ...openCalls,
  ...descriptorCalls,
  ...readWriteCalls,
  ...positionCalls,
  ...copyingCalls,
  ...statusCalls,
  ...attributeCalls,
  ...listingCalls,
  ...directoryCalls,
  ...linkCalls,
  ...renameCalls,
  ...readinessCalls,
  ...processCalls,
  ...xattrCalls,
  ...otherCalls,
};

export const handlers: Handlers = { ...ofFiles, ...watchingCalls(ofFiles) };
