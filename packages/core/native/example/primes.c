/*
 * primes.c - libcr from C, without Node: two rforks count primes for the first one, which asks them by message. README.md says how to build it.
 */
#include <lwkt.h>
#include <stdio.h>

struct question {
	struct lwkt_msg msg; /* first: a pointer to the one is a pointer to the other */
	int from, to;
};

static int is_prime(int n)
{
	for (int d = 2; d * d <= n; d++)
		if (n % d == 0)
			return 0;
	return n > 1;
}

/* A userthread on another rfork: answers what comes to its own port, until a question is empty. */
static void counter(void *arg)
{
	(void)arg;
	for (;;) {
		struct question *question = (struct question *)lwkt_waitport(&lwkt_curthread()->td_msgport, NULL);
		int primes = 0, last = question->from == question->to;

		for (int n = question->from; n < question->to; n++)
			primes += is_prime(n);
		question->msg.u.ms_result = primes;
		lwkt_replymsg(&question->msg, 0);
		if (last)
			return;
	}
}

int main(void)
{
	struct question questions[2];
	lwkt_thread_t counters[2];
	globaldata_t rforks[2];
	long primes = 0;

	lwkt_cpu_init(); /* this kernel thread is an rfork, too */
	for (int i = 0; i < 2; i++) {
		struct lwkt_create_args args = {.name = "counter", .priority = -1, .flags = TDF_JOINABLE};

		lwkt_rfork_create(NULL, NULL, &rforks[i], NULL);
		args.rfork = rforks[i];
		lwkt_create(counter, NULL, &counters[i], &args);
	}
	for (int round = 0; round < 10; round++) {
		for (int i = 0; i < 2; i++) {
			lwkt_initmsg(&questions[i].msg, NULL, 0);
			questions[i].from = round * 10000 + i * 5000;
			questions[i].to = questions[i].from + 5000;
			lwkt_sendmsg(&counters[i]->td_msgport, &questions[i].msg); /* goes on at once */
		}
		for (int i = 0; i < 2; i++) {
			lwkt_waitmsg(&questions[i].msg);
			primes += questions[i].msg.u.ms_result;
		}
	}
	for (int i = 0; i < 2; i++) {
		lwkt_initmsg(&questions[i].msg, NULL, 0);
		questions[i].from = questions[i].to = 0;
		lwkt_domsg(&counters[i]->td_msgport, &questions[i].msg);
		lwkt_join(counters[i]);
		lwkt_rfork_join(rforks[i]);
	}
	printf("%ld primes below 100,000\n", primes);
	return lwkt_cpu_fini();
}
