// @libcr/posix-compat: POSIX threads, semaphores and their relatives over userthreads.
// Nothing is here yet; README.md says what is to come.
export {};
