/*
 * migration.pml - a userthread that moves between two rforks, again and again, while a third keeps waking it: every interleaving (src/migrate.c,
 * lwkt_schedule in src/sched.c).
 *
 * The thread is in steps: it runs; it takes itself off the run queue and is still on its stack; it has left its stack. Its rfork's thread0 sends
 * it off after that. The waker sends "schedule" to where it believes the thread to be; who gets it and is not the owner sends it on.
 *
 * Proven: no two rforks ever stand on the thread's stack, it is on one run queue at most and only its owner's, and when all is quiet it has made
 * all its moves: nothing is lost (assertions, and no invalid end state).
 */
#define MOVES 3
#define WAKES 2

mtype = { arrive, schedule };
chan ring[2] = [4] of { mtype };  /* from the other rfork, to rfork 0 and 1 */
chan woken[2] = [4] of { mtype }; /* from the waker */

byte owner = 0;         /* td_gd: written by the old rfork, read by all */
bool migrating = false; /* TDF_MIGRATING: its owner's */
bool queued[2];         /* on the rfork's run queue */
bool on_stack[2];       /* the rfork stands on the thread's stack */
bool leaving[2];        /* gd_leaving */
byte moves = 0;

#ifdef WRONG_ORDER /* a wake-up that comes in between puts it on its old rfork's run queue, and it is on two */
#define MAY_LOOK !on_stack[me]
#else
#define MAY_LOOK !on_stack[me] && !leaving[me]
#endif

inline enqueue(me) {
	if
	:: migrating || queued[me] -> skip
	:: else -> queued[me] = true; assert(!queued[1 - me])
	fi
}

inline got_schedule(me) {
	if
	:: owner != me -> ring[1 - me]!schedule /* chase it */
	:: else -> enqueue(me)
	fi
}

proctype rfork(byte me) {
end:
	do
	/* thread0: IPI messages, while the thread does not run here, and not before what has left is sent off (lwkt_dispatch) */
	:: MAY_LOOK && nempty(ring[me]) ->
		if
		:: ring[me]?arrive -> atomic { assert(owner == me); migrating = false; enqueue(me) }
		:: ring[me]?schedule -> got_schedule(me)
		fi
	:: MAY_LOOK && nempty(woken[me]) -> woken[me]?schedule; got_schedule(me)
	/* thread0: sends off what has left */
	:: !on_stack[me] && leaving[me] ->
		leaving[me] = false;
		migrating = true;
		owner = 1 - me;
		ring[1 - me]!arrive
	/* picks the thread */
	:: !on_stack[me] && queued[me] && !leaving[me] -> on_stack[me] = true; assert(!on_stack[1 - me])
	/* the thread, on its stack: moves (lwkt_setcpu_self), or yields when it has made its moves */
	:: on_stack[me] && !leaving[me] && moves < MOVES ->
		moves++;
		queued[me] = false;
#ifdef WRONG_STACK /* sent off before its stack is left: two rforks stand on it */
		migrating = true;
		owner = 1 - me;
		ring[1 - me]!arrive;
#else
		leaving[me] = true;
#endif
		on_stack[me] = false /* the switch to thread0 */
	:: on_stack[me] && !leaving[me] && moves == MOVES -> queued[me] = false; on_stack[me] = false /* blocks for good */
	od
}

proctype waker() {
	byte wakes = 0, where;

	do
	:: wakes < WAKES -> where = owner; woken[where]!schedule; wakes++
	:: wakes == WAKES -> break
	od
}

active proctype referee() {
	queued[0] = true;
	run rfork(0);
	run rfork(1);
	run waker();
	timeout -> assert(moves == MOVES && !leaving[0] && !leaving[1] && !migrating)
}
