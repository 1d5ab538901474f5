/*
 * migration.pml - a userthread that moves between two rforks, again and again, while a third keeps waking it: every interleaving (src/thread/migrate.c,
 * lwkt_create in src/thread/thread.c, lwkt_schedule in src/sched/sched.c).
 *
 * The thread is in steps: it runs; it takes itself off the run queue and is still on its stack; it has left its stack. Its rfork's thread0 sends
 * it off after that. The waker sends "schedule" to where it believes the thread to be; who gets it and is not the owner sends it on.
 * A fourth has created the thread, and its message may come after the waker's: rings are in order each for itself.
 *
 * Proven: no two rforks ever stand on the thread's stack, it is on one run queue at most and only its owner's, it runs only where it is on the list
 * of all threads, which is one rfork's at a time, and when all is quiet it has begun and made all its moves: nothing is lost (assertions, and no
 * invalid end state).
 */
#define MOVES 3
#define WAKES 2

mtype = { arrive, begin, schedule };
chan ring[2] = [4] of { mtype };  /* from the other rfork, to rfork 0 and 1 */
chan woken[2] = [4] of { mtype }; /* from the waker */
chan created = [1] of { mtype };  /* from the creator, to rfork 0 */

byte owner = 0;         /* td_gd: written by the old rfork, read by all */
#ifdef WRONG_CREATE /* a wake-up that comes first lets it run before its rfork has it on its list */
bool migrating = false;
#else
bool migrating = true;  /* TDF_MIGRATING: its owner's */
#endif
bool nostart;           /* TDF_NOSTART: a wake-up is what starts it. Its owner's */
bool linked[2];         /* on the rfork's list of all threads (td_allq) */
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
#ifdef WRONG_NOSTART /* the wake-up that was to start it is lost */
	:: migrating || queued[me] -> skip
#else
	:: migrating || queued[me] -> nostart = false
#endif
	:: else -> queued[me] = true; assert(!queued[1 - me])
	fi
}

inline got_schedule(me) {
	if
	:: owner != me -> ring[1 - me]!schedule /* chase it */
	:: else -> enqueue(me)
	fi
}

inline link(me) {
	assert(!linked[0] && !linked[1]);
	linked[me] = true;
	migrating = false
}

inline send_off(me) {
	assert(linked[me]);
	linked[me] = false;
	migrating = true;
	owner = 1 - me;
	ring[1 - me]!arrive
}

proctype rfork(byte me) {
end:
	do
	/* thread0: IPI messages, while the thread does not run here, and not before what has left is sent off (lwkt_dispatch) */
	:: MAY_LOOK && nempty(ring[me]) ->
		if
		:: ring[me]?arrive -> atomic { assert(owner == me); link(me); enqueue(me) }
		:: ring[me]?schedule -> got_schedule(me)
		fi
	:: MAY_LOOK && nempty(woken[me]) -> woken[me]?schedule; got_schedule(me)
	:: MAY_LOOK && me == 0 && nempty(created) ->
		created?begin;
		atomic {
			assert(owner == me);
			link(me);
			if
			:: nostart -> nostart = false
			:: else -> enqueue(me)
			fi
		}
	/* thread0: sends off what has left */
	:: !on_stack[me] && leaving[me] -> leaving[me] = false; send_off(me)
	/* picks the thread */
	:: !on_stack[me] && queued[me] && !leaving[me] -> on_stack[me] = true; assert(!on_stack[1 - me] && linked[me])
	/* the thread, on its stack: moves (lwkt_setcpu_self), or yields when it has made its moves */
	:: on_stack[me] && !leaving[me] && moves < MOVES ->
		moves++;
		queued[me] = false;
#ifdef WRONG_STACK /* sent off before its stack is left: two rforks stand on it */
		send_off(me);
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
	if
	:: nostart = true
	:: nostart = false
	fi;
	created!begin;
	run rfork(0);
	run rfork(1);
	run waker();
	timeout -> assert(moves == MOVES && !leaving[0] && !leaving[1] && !migrating && !nostart)
}
