// @libcr/signals: sigaction, sigwait and timers for userthreads, with kernel-assisted delivery.
// Nothing is here yet; README.md says what is to come.
export {};
