/*
 * abort.pml - a message, its forwarding, its reply and its abort, on three rforks: every interleaving of them (src/msg/msgport.c, src/msg/abort.c).
 *
 * Rfork 0 sends a message to a port of rfork 1, whose thread replies to it or forwards it to rfork 2, whose thread replies to it or forwards it
 * back, once. At any moment while it is under way the sender aborts it, or does not. An IPI ring is a FIFO for each ordered pair; what
 * one handler or one step of a thread does is atomic to its own rfork only, so that reads of what is another's are steps of their own.
 *
 * Proven: the sender gets the message back exactly once (no invalid end state), and when it has it nothing that refers to the memory is in any
 * ring and nobody touches it any more (assertions).
 */
#define N 3
#define SENDER 0

mtype = { put, reply, look, came_back };
chan ring[9] = [3] of { mtype }; /* [from * N + to] */
#define to(from, dest) ring[(from) * N + (dest)]

mtype abort_state = 0; /* ms_abort, the sender's rfork's */
mtype = { looking, replied };

bool queued = false, replying = false, done = false; /* MSGF_QUEUED, REPLY, DONE */
byte target = 1;   /* the rfork of ms_target_port's owner */
byte holder = 255; /* the rfork whose thread serves it */
byte forwards = 0, aborts = 0;

#define touch assert(!done)
#define nothing_under_way (empty(ring[0]) && empty(ring[1]) && empty(ring[2]) && empty(ring[3]) && empty(ring[4]) && \
                           empty(ring[5]) && empty(ring[6]) && empty(ring[7]) && empty(ring[8]))

/* lwkt_port_complete: from here on the memory may be gone. */
inline complete() {
	assert(!done);
	assert(nothing_under_way);
	assert(holder == 255 && !queued);
	done = true
}

inline reply_arrives() {
	touch;
	if
#ifndef WRONG_HOLD /* a reply is not held back: the memory is touched after its end */
	:: abort_state == looking -> abort_state = replied
#endif
	:: else -> complete()
	fi
}

inline abort_comes_back() {
	touch;
	assert(abort_state == looking || abort_state == replied);
	if
	:: abort_state == replied -> abort_state = 0; complete()
	:: else -> abort_state = 0
	fi
}

/* look() of abort.c on rfork me. The target is read first, then the flags: as there. */
inline search(me) {
	touch;
	seen = target;
	if
	:: seen != me ->
		touch;
		if
		:: !replying -> to(me, seen)!look
		:: else -> to(me, SENDER)!came_back
		fi
	:: else ->
		atomic { /* the queue is this rfork's own */
			if
			:: queued && !replying -> queued = false; replying = true; to(me, SENDER)!reply
			:: else -> skip
			fi
		};
		to(me, SENDER)!came_back
	fi
}

proctype sender() {
	byte seen;

	to(SENDER, 1)!put;
end:
	do
	:: done -> break
	:: atomic { !done && abort_state == 0 && aborts < 2 -> abort_state = looking; aborts++ }
		touch;
		seen = target;
		if
		:: !replying -> to(SENDER, seen)!look
		:: else -> abort_comes_back() /* in place */
		fi
	:: to(1, SENDER)?reply -> reply_arrives()
	:: to(2, SENDER)?reply -> reply_arrives()
	:: to(1, SENDER)?came_back -> abort_comes_back()
	:: to(2, SENDER)?came_back -> abort_comes_back()
	od
}

proctype rfork(byte me) {
	byte seen;
	byte other = 3 - me;

end:
	do
	:: to(SENDER, me)?put -> touch; queued = true
	:: to(other, me)?put -> touch; queued = true
	:: to(SENDER, me)?look -> search(me)
	:: to(other, me)?look -> search(me)
	/* its thread */
	:: atomic { queued && target == me && holder == 255 -> queued = false; holder = me }
	:: holder == me -> touch; replying = true; holder = 255; to(me, SENDER)!reply
	:: holder == me && forwards < 2 -> forwards++; touch; target = other; holder = 255; to(me, other)!put
	od
}

/* Whenever everybody has come to rest, the sender has its message. */
active proctype referee() {
	run sender();
	run rfork(1);
	run rfork(2);
	timeout -> assert(done)
}
