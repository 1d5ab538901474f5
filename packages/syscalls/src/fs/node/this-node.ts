/**
 * this-node.ts: in what the versions of Node differ, where node:fs here has to differ, too. What is asked for is a behaviour and not a version.
 *
 * Not here: what can be seen on Node's own objects (stats.ts).
 */
const [MAJOR = 0] = process.versions.node.split('.').map(Number);

/** Positions are checked first, and bigints from -1 up to where the last byte still has a place; before, all of 64 bits. */
export const checksPositionsFirst: boolean = MAJOR >= 24;
export const boundsBigPositions: boolean = MAJOR >= 22;
/** FileHandle.read takes what is no position for one as the other functions do; before, for the file's own. */
export const handlesCheckPositions: boolean = MAJOR >= 22;
/** A descriptor is the last of the arguments that the *Sync functions look at. */
export const checksDescriptorsLast: boolean = MAJOR >= 22;
/** mkdir's options have names of their own in errors, and readlink's path is not its "oldPath". */
export const namesOptions: boolean = MAJOR >= 22;
/** rmdir(path, { recursive }) and truncate(fd): deprecated in the older versions, gone in the newer. */
export const rmdirRecurses: boolean = MAJOR < 26;
export const truncatesDescriptors: boolean = MAJOR < 24;
/** symlink takes its type strictly, and its callback by its place. */
export const checksLinkTypes: boolean = MAJOR >= 24;
/** readdir with `recursive` and `withFileTypes` goes through links to directories, as that for names does: *Sync and with a callback; as a promise. */
export const entriesEnterLinks: boolean = MAJOR >= 22;
export const promisedEntriesEnterLinks: boolean = MAJOR >= 26;
/** As a promise it goes down where it has been last. */
export const promisedTreesLastFirst: boolean = MAJOR < 26;
/** existsSync says so once when it is asked for what is no path. */
export const warnsOfNoPaths: boolean = MAJOR >= 24;
/** stat with a callback looks at its options, and knows throwIfNoEntry, also as a promise. */
export const statIsStrict: boolean = MAJOR >= 24;
/** What is below a file counts as no entry to throwIfNoEntry. */
export const statTakesFilesForNoEntry: boolean = MAJOR >= 22;
/** lstat and fstat, too, know a signal, and so do the promises. */
export const statsTakeSignals: boolean = MAJOR >= 26;
/** A time that is an invalid Date is left as it is. */
export const omitsInvalidTimes: boolean = MAJOR >= 22;
/** Times that are set have nanoseconds. */
export const timesHaveNanoseconds: boolean = MAJOR >= 24;
/** What fails when readFile reads says which file it was. */
export const readErrorsNameFiles: boolean = MAJOR >= 26;
/** watch has an option `ignore`, and one that lets it watch what is not there, of which it tells nothing. */
export const watchesIgnore: boolean = MAJOR >= 24;
export const watchesWhatIsMissing: boolean = MAJOR >= 24;
/** cp's `errorOnExist` is about directories, too: those that are there already are told before it looks into them. */
export const refusesDirectories: boolean = MAJOR >= 22;
/** cp takes a link over one to the same for a copy into itself also where it is no link to a directory: as a promise or with a callback; cpSync. */
export const refusesLinks: boolean = MAJOR < 24;
export const refusesLinksSync: boolean = MAJOR < 22;
/** FileHandle.readableWebStream is no stream of bytes unless that is asked for. */
export const hasOtherWebStreams: boolean = MAJOR < 22;
/** A FileHandle that the collector has to close is an error, and no deprecation. */
export const collectedHandlesAreErrors: boolean = MAJOR >= 25;
