/*
 * inbox.pml - an rfork's inbox and the doorbell of its event loop: every interleaving of two senders and the owner (node/inbox.cc, node/loop.cc,
 * src/rfork/doorbell.c).
 *
 * Each sender pushes two envelopes. The owner enters while they do so, and then turns its loop: a pass, in which it attends to its inbox and takes what
 * is there; before the poll it leaves the inbox and says that it sleeps; it sleeps until the doorbell rings, or does not sleep. It may end at any
 * turn. One access to what is shared is one step, as all of them are sequentially consistent in the code.
 *
 * Proven: all that push() has accepted is taken or deleted (no invalid end state: the owner ends with nothing left, the senders have
 * been answered), and the loop never sleeps for ever while there is something in its inbox.
 */
#define SENDERS 2
#define EACH 2
#define CLOSED 255

byte head = 0;          /* how many are in; CLOSED: Inbox::close() */
bool attended = false;
bool entered = false;   /* gd is set */
bool pending = false;   /* an IPI message is in a ring of the owner's */
bool sleeping = false;  /* SLEEP_LOOP */
bool bell = false;      /* the eventfd is readable */
byte accepted = 0, refused = 0, taken = 0, deleted = 0;
byte finished = 0;      /* senders */

/* lwkt_send_ipiq */
inline tell() {
	pending = true;
	if
	:: sleeping -> bell = true
	:: else
	fi
}

proctype sender() {
	byte sent = 0, last;
	do
	:: sent < EACH ->
		sent++;
		atomic { /* the exchange that succeeds */
			last = head;
			if
			:: last == CLOSED -> refused++
			:: else -> head++; accepted++
			fi
		}
		if
		:: last != 0 -> skip /* whoever found it empty tells, or has; or it is closed */
		:: else ->
			if
			:: attended -> skip
			:: else ->
				if
				:: entered -> tell()
				:: else -> skip
				fi
			fi
		fi
	:: else -> break
	od;
	finished++
}

/* take(): all of it */
inline take() {
	atomic { taken = taken + head; head = 0 }
}

proctype owner() {
	bool runs = false, left = false;
#ifdef WRONG_ENTER /* looks first, and says then whom to wake */
	runs = (head != 0);
	entered = true;
#else
	entered = true;
	runs = (head != 0);
#endif
	do
	:: true ->
		/* on_prepare: lwkt_loop_sleeps and Inbox::leave */
		if
		:: runs -> skip
		:: else ->
			left = !attended;
#ifdef WRONG_LEAVE /* looks before it says that it must be told */
			if
			:: !left && head == 0 -> attended = false; left = true
			:: else -> attended = false
			fi;
#else
			if
			:: !left -> attended = false; left = (head == 0)
			:: else
			fi;
#endif
			if
			:: !left -> runs = true
			:: else ->
#ifdef WRONG_SLEEP /* likewise */
				if
				:: pending -> runs = true
				:: else -> sleeping = true
				fi
#else
				sleeping = true;
				if
				:: pending -> runs = true
				:: else
				fi
#endif
			fi
		fi;
		/* the poll: what sleeps in it is woken by the doorbell, or by the event that all is over */
		if
		:: runs
		:: !runs && bell
		:: !runs && !bell && accepted + refused == SENDERS * EACH && taken == accepted && !pending -> goto end
		fi;
		/* on_check */
		bell = false;
		sleeping = false;
		if
		:: pending || runs ->
			attended = true;
			pending = false; /* lwkt_process_ipiq */
			take();
			runs = (head != 0)
		:: else
		fi
	:: true -> break /* it ends: remote_close */
	od;
end:
	atomic { deleted = (head == CLOSED -> 0 : head); head = CLOSED }
	(finished == SENDERS);
	assert(taken + deleted == accepted);
	assert(accepted + refused == SENDERS * EACH)
}

init {
	atomic {
		run sender();
		run sender();
		run owner()
	}
}
