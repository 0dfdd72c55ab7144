/*
 * The protocol of a pool: who gets a place, and who is woken. README.md tells what of it is modelled, where the
 * names stand in the code, and what the configurations cover, which the macros in capitals switch on.
 *
 * A step is an atomic block. It has at most one access to what others look at without the mutex, a turn or the
 * limit. All else in a critical section is seen by nobody before the mutex is free, so it may happen at once with
 * that access (Lipton's reduction); but a wake-up comes after the access of its block, never before, because
 * whoever is woken runs on without the mutex. A load of a turn and the compare-and-swap that follows are one step:
 * a turn that is idle changes only by being taken, so if the swap fails, the load might as well have come later
 * and have found the place taken.
 */

#ifndef N
#define N 4 /* requesters */
#endif
#define PLACES 2
#ifndef MAXCREATES
#define MAXCREATES PLACES
#endif
#if defined(RESET) || defined(RESIZE)
#define DOOM
#endif

/* What a place is counted as, slot.state. The last three are those with a job, slot.job. */
mtype = { vacant, inUse, creating, checking, closing }
#define JOB(p) (state[p] == creating || state[p] == checking || state[p] == closing)

#define NONE 200 /* no place, no requester */
#define POOL 201 /* the owner of a place that has a job or is passed on */

/* The outcomes of a wait: p + 1 is place p. */
#define EMPTY 0
#define CANCELED 100
#define FAILED 101
#define CLOSED 102

#define IDLE 1   /* bit 0 of a turn */
#define DOOMED 2 /* bit 1 */
#define LEASE 4  /* what a turn goes up by with a lease */
/*
 * The number of a lease only tells the copy of a lease from later ones: all others who compare it have that lease, and
 * find it as it was. So it is 1 after the lease that has a copy, and 0 in all other places and times.
 */
#ifdef COPY
#define TURN(t) ((t) & (IDLE + DOOMED) | (copied != NONE && copiedSlot == s -> LEASE : 0))
#else
#define TURN(t) ((t) & (IDLE + DOOMED))
#endif

#define BARGES 4 /* in the limit: it is negative, as requesters may go before those who wait */
#define BIT(r) (1 << (r))
#define COUNT(x) ((state[0] == x) + (state[1] == x))
#define VACANCIES (maxSize - PLACES + COUNT(vacant)) /* stats.Vacant, which may be negative */
#define HIGH (state[1] != vacant -> 2 : (state[0] != vacant -> 1 : 0))

/* The pool. */
bit mu;
byte limit, turn[PLACES];
chan line = [N] of { byte }; /* the queue */
byte queued;                 /* who is in it, as bits */
byte outcome[N];             /* waiter.ready */
mtype state[PLACES];
byte waiterOf[PLACES];       /* job.waiter */
byte early[PLACES];          /* who waited when the create began, as bits: stands for times */
bool doomed[PLACES];         /* slot.doom */
bool ready[PLACES];          /* slot.ready */
byte maxSize = PLACES, fresh;
bool closed, draining, drained;
byte done;                   /* whose context has ended, as bits */
bit passing, begins, barges; /* Pool.passing, whether its goroutine has yet to begin, and mayBarge in this critical section */

/* What the properties speak of. */
byte owner[PLACES];
byte started;                /* how many requesters have */
byte arrived, earlier[N];    /* who has come and is not served, and who of these had when that one came, as bits */
byte again;                  /* who was served, and waits again after a failed check, as bits */
bool sleeps[N], keeps[N];    /* who waits, and who keeps a lease for ever */
bool reset;                  /* whether a Reset is over, */
byte old, since;             /* which connections are older, and who came after it, as bits */
byte late = NONE;            /* the place of a create that was given up and has not returned */
byte copied = NONE;          /* whose lease has a copy, */
byte copiedSlot, copiedTurn; /* and that */
byte gone, others;           /* who is at the last critical section or past it, as bits, and how many others are not */
byte gives;                  /* who has ended a lease and has yet to lock the mutex for it, as bits */

/* The properties. One that fails is false, and so named in the error. */
bool no_place_is_lost = true;
bool no_place_has_two_owners = true;
bool never_more_places_than_MaxSize = true;
bool nobody_sleeps_beside_a_place = true;
bool order_of_arrival_is_kept = true;
bool the_fast_path_opens_again = true;
bool no_stale_release_disturbs = true;
bool reset_connections_are_gone = true;
bool close_ends = true;
bool nobody_is_woken_twice = true;
#define HOLDS(property, condition) property = (condition); assert(property)

/* The locals of all who run code of the pool. */
#define LOCALS byte s, i, n, w, x, y, busy, mine; bool looks; byte tail
#define FREE 0   /* the mutex is free, unless it is another's */
#define STORES 1 /* the limit must still be stored, */
#define ASKS 2   /* or quiet must be asked first */

/* ---- slot.go ---- */

/* claim takes the idle place i for who, which is a step of search. */
inline claim(who) {
	turn[i] = turn[i] & ~IDLE;
	HOLDS(no_place_has_two_owners, owner[i] == NONE);
	owner[i] = who
}

/* move changes what a place is counted as. HIGH and VACANCIES follow from that. */
inline move(p, to) {
	state[p] = to;
	if
	:: to == vacant ->
		owner[p] = NONE;
		if
		:: doomed[p] -> doomed[p] = false; turn[p] = turn[p] & ~DOOMED
		:: else
		fi
	:: else
	fi
}

inline retire(p) {
	ready[p] = false;
#ifdef CLOSES
	start(p, closing)
#else
	move(p, vacant)
#endif
}

/* short: without DEMAND, there is a create for each waiter. With it, time decides, that is anything, if there is something to wait for, at the latest by its timer. */
#define SHORT (VACANCIES > 0 && COUNT(creating) < MAXCREATES && len(line) > COUNT(creating))
#ifdef DEMAND
#define MUST (SHORT && COUNT(inUse) + COUNT(checking) == 0)
#else
#define MUST SHORT
#endif

#if defined(BARGE)
#define LIMIT (len(line) > 0 || closed || draining -> (barges -> HIGH + BARGES : 0) : HIGH)
#elif defined(MUTATION_LIMIT_IGNORES_WAITERS)
#define LIMIT (closed || draining -> 0 : HIGH)
#elif defined(MUTATION_LIMIT_STAYS)
#define LIMIT (len(line) > 0 || closed || draining -> 0 : limit)
#else
#define LIMIT (len(line) > 0 || closed || draining -> 0 : HIGH)
#endif

/* mayBarge is up to time. */
inline mayBarge() {
	if
	:: len(line) > 0 && !closed && !draining && HIGH > 0 -> barges = 1
	:: true
	fi
}

/* unlock ends a critical section, in the block of what came before if it stores nothing; unlocked is the rest. */
inline unlock() {
	if
	:: draining && !closed -> tail = ASKS
	:: else -> free()
	fi
}

inline free() {
	do
	:: SHORT ->
		if
		:: state[0] == vacant -> startCreate(0)
		:: else -> HOLDS(never_more_places_than_MaxSize, state[1] == vacant); startCreate(1)
		fi
	:: !MUST -> break
	od;
#ifdef BARGE
	mayBarge();
#endif
	if
	:: limit == LIMIT -> freed()
	:: else -> tail = STORES
	fi
}

inline startCreate(p) {
#ifdef FAILS
	early[p] = queued;
#endif
	old = old & ~BIT(p);
	start(p, creating)
}

inline freed() {
	drained = (closed && COUNT(vacant) == PLACES && fresh == 0 -> true : drained);
	mu = 0;
	barges = 0;
	tail = FREE
}

inline unlocked() {
#ifdef DRAIN
	if
	:: tail == ASKS ->
		quiet();
		atomic {
			if
			:: busy == 0 -> HOLDS(nobody_sleeps_beside_a_place, len(line) == 0); closed = true; looks = HIGH > 0
			:: else
			fi;
			busy = 0
		};
		match();
		atomic { free() }
	:: else
	fi;
#endif
	if
	:: tail == STORES -> atomic { limit = LIMIT; freed() }
	:: else
	fi
}

/* ---- queue.go ---- */

inline lock() { mu == 0 -> mu = 1 }

/* leaves tells the properties that a requester, or releaseCopy, is not going to lock the mutex again, once it is free. */
inline leaves() {
#ifdef FOREVER
	gives = gives & ~mine
#elif defined(CANCEL)
	gone = gone | mine
#else
	true
#endif
}

inline wake(w, with) {
	HOLDS(nobody_is_woken_twice, outcome[w] == EMPTY);
	outcome[w] = with
}

/* insert puts a requester into the queue. The first one there shuts the fast path, and looks for what was made idle before. */
inline insert(r, front) {
	if
	:: (arrived & BIT(r)) == 0 -> earlier[r] = arrived; arrived = arrived | BIT(r)
	:: else
	fi;
	queued = queued | BIT(r);
	x = len(line);
#ifndef MUTATION_FAILED_CHECK_GOES_FIRST
	do /* past those who came earlier and whose checks have failed, too */
	:: front && x > 0 ->
		line?<y>;
		if
		:: again & earlier[r] & BIT(y) -> line?y; line!y; x--
		:: else -> break
		fi
	:: else -> break
	od;
#endif
	line!r;
	do
	:: front && x > 0 -> line?y; line!y; x--
	:: else -> break
	od;
	x = 0; y = 0;
	if
	:: len(line) == 1 ->
		looks = HIGH > 0;
#ifndef MUTATION_LIMIT_AFTER_LOOK
		limit = 0
#endif
	:: else
	fi
}

/* next takes the oldest waiter out of the queue, and on the way those whose context is done, which may turn out here. */
inline next() {
	w = NONE;
	do
	:: w == NONE && len(line) > 0 ->
		line?w;
		queued = queued & ~BIT(w);
		if
#ifdef CANCEL
		:: wake(w, CANCELED); w = NONE
#endif
		:: (done & BIT(w)) == 0
		fi
	:: else -> break
	od
}

inline deliver(p) {
	if
	:: doomed[p] || closed -> retire(p)
	:: else ->
		next();
		if
		:: w == NONE ->
			ready[p] = false;
			turn[p] = turn[p] + IDLE;
			owner[p] = NONE
		:: else -> grant(p)
		fi;
		w = 0
	fi
}

inline grant(p) {
	HOLDS(order_of_arrival_is_kept, (earlier[w] & queued) == 0);
	owner[p] = w;
	wake(w, p + 1)
}

#define LOOKS (HIGH > 0 && (closed || len(line) > 0))
/* match, with the search in it. Whoever calls it has seen to looks, whether there is anything to look at. */
inline match() {
	do
	:: looks ->
		if
		:: atomic { (turn[i] & IDLE) == 0 -> i++; looks = i < HIGH }
		:: atomic {
				(turn[i] & IDLE) == IDLE ->
				claim(POOL);
				if
				:: doomed[i] || closed -> retire(i); i = 0; looks = LOOKS
				:: else ->
					next();
					if
					:: w != NONE -> grant(i); i = 0; looks = LOOKS
					:: else
					fi
				fi
			};
			if
			:: w == NONE -> atomic { ready[i] = false; turn[i] = turn[i] + IDLE; owner[i] = NONE; i = 0; looks = LOOKS }
			:: else
			fi;
			w = 0
		fi
	:: else -> break
	od;
	i = 0
}

inline settle() {
	atomic {
		lock();
		leaves();
		looks = LOOKS;
		if
		:: looks
		:: else -> unlock()
		fi
	};
	if
	:: looks -> match(); atomic { unlock() }
	:: else
	fi;
	unlocked()
}

inline handOver(p) {
	atomic { lock(); leaves(); deliver(p); unlock() };
	unlocked()
}

/* ---- drain.go ---- */

inline quiet() {
	atomic { busy = COUNT(inUse) + COUNT(checking) + len(line) + fresh; n = HIGH };
	do
	:: i < n -> atomic { busy = busy - (turn[i] & IDLE); i++ }
	:: else -> break
	od;
	atomic { i = 0; n = 0 }
}

/* ---- job.go ---- */

inline start(p, op) {
	owner[p] = POOL;
	move(p, op)
}

/* leave parts the job of a place from its waiter, if that is r. */
inline leave(p, r, with) {
	if
	:: waiterOf[p] == r -> wake(r, with); waiterOf[p] = NONE
	:: else
	fi
}

/* failed tells the oldest waiter: surely if that one was there when the create began, maybe if it came later. */
inline failed(p) {
	move(p, vacant);
#ifndef MUTATION_FAILURE_WAKES_NOBODY
	y = 0;
	if
	:: len(line) > 0 -> line?<y>; y = BIT(y) & ~early[p]
	:: else
	fi;
	if
	:: next(); if :: w != NONE -> wake(w, FAILED) :: else fi
	:: y != 0
	fi;
#ifdef DEMAND
	do
	:: COUNT(inUse) == 0 && len(line) > 0 -> next(); if :: w != NONE -> wake(w, FAILED) :: else fi
	:: break
	od;
#endif
#endif
	w = 0; y = 0
}

/* finish ends the job of p with success or not. The mutex is locked. */
inline finish(p, ok) {
	if
	:: closed && waiterOf[p] != NONE -> leave(p, waiterOf[p], CLOSED)
	:: else
	fi;
	if
	:: state[p] == closing -> move(p, vacant)
	:: state[p] == creating && !ok -> failed(p)
	:: state[p] == checking && !ok -> failing = waiterOf[p]; waiterOf[p] = NONE; bad = true; retire(p)
	:: else ->
		ready[p] = true;
		move(p, inUse);
		if
		:: doomed[p] && waiterOf[p] != NONE -> failing = waiterOf[p]; waiterOf[p] = NONE; retire(p)
		:: !doomed[p] && waiterOf[p] != NONE -> owner[p] = waiterOf[p]; leave(p, waiterOf[p], p + 1)
		:: else -> deliver(p)
		fi
	fi;
	early[p] = 0
}

#ifdef CHECK
/* suspect has the idle connections checked. */
inline suspect() {
	do
	:: i < HIGH ->
		if
		:: atomic { (turn[i] & IDLE) == 0 -> i++ }
		:: atomic { (turn[i] & IDLE) == IDLE -> claim(POOL); start(i, checking); i = 0 }
		fi
	:: else -> break
	od;
	i = 0
}
#endif

/* job is the goroutines that run and finish the jobs of place p, one at a time: its hook ends in some way. */
proctype job(byte p) {
	LOCALS;
	byte failing = NONE;
	bool ok, bad;
	do
	:: atomic {
			JOB(p) && mu == 0 ->
			mu = 1;
			if
			:: ok = true
#ifdef FAILS
			:: state[p] == creating /* an error */
			:: state[p] == creating /* a panic */
#ifdef MUTATION_PANIC_IS_NOT_CAUGHT
				-> mu = 0; break
#endif
#endif
#ifdef GIVEUP
			:: state[p] == creating && late == NONE -> late = p /* the time is over, and it returns later */
#endif
#ifdef CHECK
			:: state[p] == checking
#endif
			fi;
			finish(p, ok);
			if
			:: !bad && failing == NONE -> unlock()
			:: else
			fi;
			ok = false
		};
#ifdef CHECK
		if
		:: bad || failing != NONE ->
			if
			:: bad -> suspect(); bad = false
			:: else
			fi;
			if
			:: failing != NONE -> /* it was its turn, and still is */
#ifdef MUTATION_FAILED_CHECK_GOES_LAST
				atomic { insert(failing, false); failing = NONE };
#else
				atomic { again = again | BIT(failing); insert(failing, true); failing = NONE };
#endif
				match();
			:: else
			fi;
			atomic { unlock() }
		:: else
		fi;
#endif
		unlocked()
	od;
	false
}

#ifdef GIVEUP
/* finishLate is finish for a create that was given up: its connection is closed outside the pool. */
proctype finishLate() {
	LOCALS;
	byte failing = NONE;
	bool bad;
	atomic {
		late != NONE && mu == 0 ->
		mu = 1;
#ifdef MUTATION_LATE_CREATE_COUNTS
		if
		:: !closed && !doomed[late] -> move(late, inUse); deliver(late)
		:: else
		fi;
#else
		fresh++;
#endif
		unlock()
	};
	unlocked();
#ifndef MUTATION_LATE_CREATE_COUNTS
	atomic { lock(); others--; fresh--; unlock() };
	unlocked()
#else
	others--
#endif
}
#endif

/* ---- barging.go ---- */

/* owed has the place go to those who wait although it may be left to others: it is up to numbers and times whether. */
inline owed() {
	atomic {
		n = limit;
		if
		:: n & BARGES -> n = 0
		:: true
		fi
	}
}

inline offer() {
#ifdef MUTATION_BARGER_TELLS_NOBODY
	leaves()
#else
	atomic { begins = (passing -> begins : 1); passing = 1; leaves() }
#endif
}

#ifdef BARGE
/* passIdle is the goroutines that offer starts, of which this is one. */
proctype passIdle() {
	LOCALS;
	do
	:: atomic {
			begins ->
			begins = 0;
			others++;
			x = PLACES;
#ifndef MUTATION_PASSING_ENDS_LATE
			passing = 0
#endif
		};
		do
		:: x > 0 ->
			atomic { n = limit; x = (n == 0 || (n & BARGES) -> x - 1 : 0); w = (n == 0 || (n & BARGES) -> 0 : NONE); n = 0 };
			do
			:: w == NONE -> break
			:: w != NONE && i == PLACES -> atomic { x = 0; i = 0 }; break
			:: w != NONE && i < PLACES ->
				if
				:: atomic { (turn[i] & IDLE) == 0 -> i++ }
				:: atomic { (turn[i] & IDLE) == IDLE -> claim(POOL); s = i; i = 0 }; handOver(s); s = 0; break
				fi
			od;
			w = 0
		:: else -> break
		od;
		atomic {
#ifdef MUTATION_PASSING_ENDS_LATE
			passing = 0;
#endif
			others--
		}
	od;
	false
}
#endif

/* ---- lease.go ---- */

/* What a requester does next. */
#define OBTAIN 0
#define CHECKUP 1
#define RELEASE 2
#define DISCARD 3
#define END 4

/* lease makes r the holder of a lease of place s, which it is going to release, to discard or to keep for ever. */
inline lease() {
	HOLDS(no_place_has_two_owners, owner[s] == r);
	HOLDS(reset_connections_are_gone, (since & BIT(r)) == 0 || (old & BIT(s)) == 0);
	ready[s] = false;
	l = turn[s] & ~DOOMED;
	unlist();
#ifdef COPY
	if
	:: copied == NONE -> copied = r; copiedSlot = s; copiedTurn = l
	:: true
	fi;
#endif
	if
	:: then = RELEASE
#ifdef DISCARDS
	:: then = DISCARD
#endif
#ifndef FOREVER
	:: keeps[r] = true; then = END; s = 0; l = 0; leaves()
#endif
	fi
}

/* unlist ends what is known of a requester that has been served. */
inline unlist() {
	arrived = arrived & ~BIT(r);
	x = 0;
	do
	:: x < N -> earlier[x] = earlier[x] & ~BIT(r); x++
	:: else -> break
	od;
	x = 0;
	earlier[r] = 0;
	again = again & ~BIT(r);
	done = done & ~BIT(r);
	since = since & ~BIT(r)
}

/* ended is a swap that ended the lease of r. */
inline ended(r, to) {
	HOLDS(no_stale_release_disturbs, owner[s] == r);
#ifdef FOREVER
	gives = gives | mine;
#endif
	owner[s] = to;
	over = true
}

/* end makes the place the caller's, unless the lease has ended. */
inline end(r) {
	atomic {
		if
#ifdef MUTATION_STALE_TURN
		:: (turn[s] & IDLE) == 0 ->
#else
		:: turn[s] == l ->
#endif
			ended(r, POOL);
			turn[s] = TURN(turn[s] + LEASE)
		:: else
		fi
	};
#ifdef DOOM
	if
	:: !over ->
		atomic {
			if
			:: turn[s] == (l | DOOMED) -> ended(r, POOL); turn[s] = TURN(turn[s] + LEASE)
			:: else
			fi
		}
	:: else
	fi
#endif
}

/* looksAgain is a releaser's look at the limit after having made a place idle. */
inline looksAgain() {
	atomic {
		n = limit;
		if
		:: n > 0 && (n & BARGES) == 0 -> leaves()
		:: else
		fi
	};
	if
	:: n == 0 -> settle()
	:: n & BARGES -> offer()
	:: else
	fi
}

#ifndef RECYCLE
inline Release(r) {
#ifdef BARGE
	owed();
#else
	n = limit;
#endif
	if
	:: n > 0 ->
		atomic {
			if
#ifdef MUTATION_DOOM_IGNORED
			:: (turn[s] & ~DOOMED) == l ->
#else
			:: turn[s] == l ->
#endif
				ended(r, NONE);
				turn[s] = TURN(l + LEASE + IDLE)
			:: else
			fi
		}
	:: else
	fi;
	if
	:: over ->
#ifdef MUTATION_RELEASE_CHECKS_FIRST
		leaves()
#else
		looksAgain()
#endif
	:: else ->
		end(r);
		if
		:: over -> handOver(s)
		:: else -> leaves()
		fi
	fi
}
#else
inline Release(r) {
	end(r);
	if
	:: over -> over = false; recycle()
	:: else -> leaves()
	fi
}

/* recycle is what follows the hooks. */
inline recycle() {
	y = turn[s];
#ifdef BARGE
	owed();
#else
	n = limit;
#endif
	if
	:: n > 0 && (y & DOOMED) == 0 ->
		atomic {
			if
			:: turn[s] == y -> owner[s] = NONE; turn[s] = y + IDLE; over = true
			:: else
			fi
		}
	:: else
	fi;
	y = 0;
	if
	:: over -> looksAgain()
	:: else -> handOver(s)
	fi
}
#endif

/* Discard, with drop. */
inline Discard(r) {
	end(r);
	if
	:: over ->
#ifdef MUTATION_DISCARD_WAKES_NOBODY
		atomic { lock(); leaves(); retire(s); mu = 0 }
#else
		atomic { lock(); leaves(); retire(s); unlock() };
		unlocked()
#endif
	:: else -> leaves()
	fi
}

#ifdef COPY
/* releaseCopy is the Release of a copy of a lease, at any time. */
proctype releaseCopy() {
	LOCALS;
	byte l, r;
	bool over;
	atomic { copied != NONE -> s = copiedSlot; l = copiedTurn; r = copied; mine = BIT(N) };
	Release(r)
}
#endif

/* ---- pool.go ---- */

/* obtained decides what to do with place s. */
inline obtained() {
#ifdef CHECK
	if
	:: !ready[s] -> then = CHECKUP
	:: lease()
	fi
#else
	lease()
#endif
}

/*
 * take claims an idle place, with the search in it. The start may be at any place. Requesters come in the order of their
 * numbers, as all other orders are like that one.
 */
inline take() {
	atomic {
#ifndef FOREVER
		started == r -> started++;
#endif
		n = limit & ~BARGES;
		HOLDS(order_of_arrival_is_kept, n == 0 || queued == 0 || (limit & BARGES));
		if
		:: n > 1 -> i = 1
		:: true
		fi;
		since = (reset -> since | BIT(r) : since);
#ifdef CHECK
		earlier[r] = arrived
#endif
	};
	do
	:: n > 0 ->
		if
		:: atomic { (turn[i] & IDLE) == 0 -> n--; i = (n > 0 -> 1 - i : 0) }
#ifdef MUTATION_TAKE_WITHOUT_SWAP
		:: (turn[i] & IDLE) == IDLE -> atomic { claim(r); s = i; i = 0; n = 0; obtained() }
#else
		:: atomic { (turn[i] & IDLE) == IDLE -> claim(r); s = i; i = 0; n = 0; obtained() }
#endif
		fi
	:: else -> break
	od
}

/* receive gets the outcome of a wait. */
inline receive() {
	outcome[r] != EMPTY ->
	sleeps[r] = false;
	if
#ifdef MUTATION_GRANT_DROPPED
	:: outcome[r] > PLACES || (done & BIT(r)) -> outcome[r] = EMPTY; unlist(); then = END; leaves()
#else
	:: outcome[r] > PLACES -> outcome[r] = EMPTY; unlist(); then = END; leaves()
#endif
	:: else -> s = outcome[r] - 1; outcome[r] = EMPTY; done = done & ~BIT(r); obtained()
	fi
}

inline wait() {
	do
	:: atomic { receive() }; break
#ifdef CANCEL
#ifdef FOREVER
	:: outcome[r] == EMPTY /* a context need not end, so this is enough for fairness */
#endif
	:: atomic { done = done | BIT(r) };
		atomic {
			lock();
			if
#ifdef MUTATION_CANCELED_STAYS_QUEUED
			:: queued & BIT(r) -> wake(r, CANCELED)
#else
			:: queued & BIT(r) -> line??eval(r); queued = queued & ~BIT(r); wake(r, CANCELED)
#endif
			:: else -> leave(0, r, CANCELED); leave(1, r, CANCELED)
			fi;
			unlock()
		};
		unlocked();
		atomic { receive() };
		break
#endif
	od
}

inline obtain() {
	atomic {
		lock();
		if
		:: closed || draining -> unlist(); then = END; leaves()
#ifdef MUTATION_QUEUE_IS_A_STACK
		:: else -> insert(r, true); sleeps[r] = true
#else
		:: else -> insert(r, false); sleeps[r] = true
#endif
		fi;
		if
		:: looks
		:: else -> unlock()
		fi
	};
	if
	:: looks ->
		match();
#ifdef MUTATION_LIMIT_AFTER_LOOK
		limit = 0;
#endif
		atomic { unlock() }
	:: else
	fi;
	unlocked();
	if
	:: then == OBTAIN -> wait()
	:: else
	fi
}

#ifdef CHECK
/* await has place s checked for r. */
inline await() {
	atomic {
		lock();
		arrived = arrived | BIT(r);
		start(s, checking);
		waiterOf[s] = r;
		s = 0;
		sleeps[r] = true;
		unlock()
	};
	unlocked();
	wait()
}
#endif

/* acquire is a requester, with the end of its lease. */
proctype acquire(byte r) {
	LOCALS;
	byte l, then;
	bool over;
	mine = BIT(r);
#ifdef FOREVER
	do
	::
#endif
	take();
	if
	:: then == OBTAIN -> obtain()
	:: else
	fi;
#ifdef CHECK
	do
	:: then == CHECKUP -> await()
	:: else -> break
	od;
#endif
	if
	:: then == RELEASE -> Release(r)
	:: then == DISCARD -> Discard(r)
	:: else
	fi;
	atomic { s = 0; l = 0; n = 0; over = false; then = OBTAIN }
#ifdef FOREVER
	od
#endif
}

#ifdef CLOSE
/* Close, but for its wait until the pool is drained: see quiescence. */
proctype Close() {
	LOCALS;
	atomic {
		lock();
		others--;
		closed = true;
		limit = 0;
#ifndef MUTATION_CLOSE_WAKES_NOBODY
		do
		:: next(); if :: w == NONE -> break :: else -> wake(w, CLOSED) fi
		od;
		w = 0;
#endif
		looks = LOOKS
	};
	match();
	atomic {
		if :: waiterOf[0] != NONE -> leave(0, waiterOf[0], CLOSED) :: else fi;
		if :: waiterOf[1] != NONE -> leave(1, waiterOf[1], CLOSED) :: else fi;
		unlock()
	};
	unlocked()
}
#endif

/* ---- doom.go ---- */

#ifdef DOOM
inline doom(p) {
	if
	:: state[p] == vacant || state[p] == closing || doomed[p]
#ifdef MUTATION_RESET_FORGETS_CREATES
	:: state[p] == creating
#endif
	:: (turn[p] & IDLE) == IDLE -> i = p; claim(POOL); i = 0; retire(p)
	:: else -> turn[p] = turn[p] | DOOMED; doomed[p] = true
	fi
}
#endif

#ifdef RESET
proctype Reset() {
	LOCALS;
	atomic { lock(); others--; doom(0) };
	atomic { doom(1); old = (state[0] != vacant) + 2 * (state[1] != vacant); unlock() };
	unlocked();
	reset = true
}
#endif

#ifdef RESIZE
inline Resize(size) {
	atomic {
		lock();
		others = 0;
		maxSize = size;
		surplus = PLACES - COUNT(vacant) - maxSize - (doomed[0] || state[0] == closing) - (doomed[1] || state[1] == closing);
		x = HIGH
	};
	do
	:: x > 0 && surplus > 0 ->
		atomic {
			x--;
			if
			:: turn[x] & IDLE -> i = x; claim(POOL); i = 0; retire(x); surplus--
			:: else
			fi
		}
	:: else -> break
	od;
	x = HIGH;
#ifdef MUTATION_RESIZE_FORGETS_LEASED
	surplus = 0;
#endif
	do
	:: x > 0 && surplus > 0 ->
		atomic {
			x--;
			if
			:: state[x] != vacant && state[x] != closing && !doomed[x] -> doom(x); surplus--
			:: else
			fi
		}
	:: else -> break
	od;
	atomic { x = 0; surplus = 0; unlock() };
	unlocked()
}

proctype resize() {
	LOCALS;
	short surplus;
	Resize(1);
	if
	:: Resize(2)
	:: true
	fi
}
#endif

/* ---- drain.go ---- */

#ifdef DRAIN
proctype Drain() {
	LOCALS;
	atomic {
		lock();
		others--;
		draining = true;
#ifdef MUTATION_DRAIN_LOOKS_FIRST
		unlock()
#else
		limit = 0
#endif
	};
	atomic { unlock() };
	unlocked()
}
#endif

/* ---- what must be true when nobody can go on ---- */

#define KEPT(s) (owner[s] < N && keeps[owner[s]])
#define VALID(s) (!(turn[s] & IDLE) == (owner[s] != NONE || state[s] == vacant) && !(turn[s] & DOOMED) == !doomed[s] && \
	(state[s] == vacant && owner[s] == NONE && !doomed[s] || state[s] == inUse && (KEPT(s) || owner[s] == NONE && !doomed[s])))
#define WANTS(r) (sleeps[r] && !((queued & BIT(r)) && VACANCIES <= 0 && !(turn[0] & IDLE) && !(turn[1] & IDLE)))

#ifdef CANCEL
/*
 * A context that could end need not: so nobody is excused by a cancel that could come, and there is rest as soon as
 * nobody but contexts can go on. That goes round, so that the cancels that do come are seen, too.
 */
#define AWAY(r) ((gone & BIT(r)) || sleeps[r] && outcome[r] == EMPTY && (done & BIT(r)) == 0)
#if N > 3
#define ALLAWAY (AWAY(0) && AWAY(1) && AWAY(2) && AWAY(3))
#elif N > 2
#define ALLAWAY (AWAY(0) && AWAY(1) && AWAY(2))
#else
#define ALLAWAY (AWAY(0) && AWAY(1))
#endif
#ifdef COPY
#define COPYAWAY (copied == NONE || (gone & BIT(N)))
#else
#define COPYAWAY true
#endif
#ifdef GIVEUP
#define OTHERS (late == NONE) /* finishLate, which has nothing to do */
#else
#define OTHERS 0
#endif
#define REST (mu == 0 && passing == 0 && ALLAWAY && COPYAWAY && !JOB(0) && !JOB(1) && others == OTHERS)
#elif defined(DEMAND) && !defined(MUTATION_TIMER_IS_NOT_SET)
#define REST (timeout && !SHORT)

/* The timer of short: when nobody else goes on, time goes by. */
proctype timer() {
	LOCALS;
	do
	:: atomic { timeout && SHORT -> lock(); unlock() }; unlocked()
	od
}
#else
#define REST timeout
#endif

proctype quiescence() {
	byte r;
#ifdef CANCEL
	do ::
#endif
	atomic {
		REST ->
		HOLDS(no_place_is_lost, mu == 0 && VALID(0) && VALID(1));
		HOLDS(never_more_places_than_MaxSize, COUNT(inUse) - doomed[0] - doomed[1] <= maxSize);
		do
		:: r < N ->
			HOLDS(close_ends, !closed || !sleeps[r]);
			HOLDS(nobody_sleeps_beside_a_place, !WANTS(r));
			r++
		:: else -> break
		od;
		r = 0;
		HOLDS(close_ends, !closed && !draining || drained || KEPT(0) || KEPT(1));
		HOLDS(the_fast_path_opens_again, closed || draining || len(line) > 0 || limit == HIGH)
	}
#ifdef CANCEL
#ifdef CYCLES
	; progress: true /* to go round here is no cycle */
#endif
	od
#endif
}

init {
	byte p;
	atomic {
		do
		:: p < PLACES ->
			owner[p] = NONE;
			waiterOf[p] = NONE;
			state[p] = vacant;
			if
			:: true
			:: state[p] = inUse; turn[p] = IDLE
			fi;
			run job(p);
			p++
		:: else -> break
		od;
		limit = HIGH;
		p = 0;
		do
		:: p < N -> run acquire(p); p++
		:: else -> break
		od;
		p = 0;
#ifdef COPY
		run releaseCopy();
#endif
#ifdef CLOSE
		others++; run Close();
#endif
#ifdef RESET
		others++; run Reset();
#endif
#ifdef RESIZE
		others++; run resize();
#endif
#ifdef DRAIN
		others++; run Drain();
#endif
#ifdef GIVEUP
		others++; run finishLate();
#endif
#ifdef BARGE
		run passIdle(); run passIdle();
#endif
#if defined(DEMAND) && !defined(MUTATION_TIMER_IS_NOT_SET)
		run timer();
#endif
#ifndef FOREVER
		run quiescence()
#endif
	}
}

#ifdef FOREVER
#ifdef CANCEL
/*
 * Those who come and leave for ever could keep the mutex from others, for all that weak fairness says. Go's is fair; so
 * it is excused that the mutex is free and somebody waits for it who has a place to give or to get, or 0 to leave. With a
 * fair mutex this is not so for ever, nor again and again: each time the head of the queue gets a place
 * (order_of_arrival_is_kept), and only so many are before 0.
 */
#define GRANTED(r) ((done & BIT(r)) && outcome[r] != EMPTY && outcome[r] <= PLACES)
#if N > 3
#define GRANTEES (GRANTED(1) || GRANTED(2) || GRANTED(3))
#elif N > 2
#define GRANTEES (GRANTED(1) || GRANTED(2))
#else
#define GRANTEES GRANTED(1)
#endif
#define LEAVES0 ((done & BIT(0)) && ((queued & BIT(0)) || outcome[0] != EMPTY))
#define STARVED (mu == 0 && (JOB(0) || JOB(1) || gives != 0 || GRANTEES || LEAVES0))
ltl everybody_in_the_queue_is_served { []<> (!sleeps[0] || STARVED) }
#else
ltl everybody_in_the_queue_is_served { [] (sleeps[0] -> <> !sleeps[0]) }
#endif
#endif
