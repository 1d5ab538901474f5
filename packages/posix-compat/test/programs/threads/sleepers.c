/* sleepers.c - three threads that wait, each for something else, in functions with names. */
#define _GNU_SOURCE
#include <pthread.h>
#include <stdio.h>
#include <unistd.h>
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static void waits_for_lock(void) { pthread_mutex_lock(&lock); }
static void *worker(void *arg) { pthread_setname_np(pthread_self(), "worker"); waits_for_lock(); return arg; }
static void *sleeper(void *arg) { pthread_setname_np(pthread_self(), "sleeper"); sleep(100); return arg; }
int main(void) { pthread_t t; pthread_mutex_lock(&lock); pthread_create(&t, 0, worker, 0); pthread_create(&t, 0, sleeper, 0); puts("up"); fflush(stdout); pause(); return 0; }
