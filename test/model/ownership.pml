/*
 * Who may send a partition's elements, and when: sessions, claims, requests in flight and late arrivals,
 * settling, the active set, and a Redis that returns to an earlier snapshot. Three elements of one customer
 * in one partition, two workers. Every mutant (`#ifdef`) names the code that it breaks.
 *
 * Laws: nothing is sent that is newer than what MoEngage may still process; first deliveries are in order; a
 * settle takes nothing back; a partition with elements is in the active set, or found again; what Redis kept is
 * delivered in the end. Every count of faults is bounded, so that each run ends.
 *
 * Assumed. Clocks are an order of events: others take a session for over, and the wait after a restart ends,
 * only when nothing of it may still arrive. Within a grace a request arrives or never does. A worker whose lease
 * runs out has no request open. A worker acts in a new run only after it knows of the run; a claim may stand
 * before. A worker has seen every session that Redis forgets and that may still send: see UNKNOWN_PEER.
 * Deactivation may follow a mark at once. One without claim and request changes nothing by dying.
 *
 * Left out: fair shares (anyone may claim), generations, erasures, dead letters, the gate, lanes, shutdown,
 * several partitions in a request, failovers in a Cluster that a client does not notice. An expired session
 * leaves the registry as soon as somebody reads it. Owner and roster are read in one step.
 */
#ifndef CRASHES
#define CRASHES 2
#endif
#ifndef RESTARTS
#define RESTARTS 1
#endif
/*
 * Of these together: an attempt without an answer, a lease that runs out while its worker lives, a partition
 * given up for the fair share, a settle that Redis executes late, a deactivation.
 */
#ifndef TROUBLES
#define TROUBLES 1
#endif

#define ALL 7
#define FIRST(m) ((m) & -(m))
#define BIT(n) (1 << (n))
#define TOP(m) ((m) & 4 -> 3 : ((m) & 2 -> 2 : ((m) & 1)))

/* A session is `worker.join`, a claim `session:number`; 0 is no claim. */
#define SESSION(w, join) ((w) << 3 | (join))
#define CLAIM(s, number) ((s) << 3 | (number))
#define SESSION_OF(claim) ((claim) >> 3)
#define WORKER_OF(s) ((s) >> 3)
#define JOIN_OF(s) ((s) & 7)
#define UNKNOWN 255

/* ── Redis, slot of the partition ── */
byte owner = CLAIM(SESSION(0, 1), 1)
byte stored          /* elements, as a set */
byte settled         /* of them */
bit isActive = 1
byte activation
/* ── Redis, slot of the deployment ── */
byte mark = 1        /* of the partition in the active set; 0: it is not in it */
short registered = BIT(SESSION(0, 1)) | BIT(SESSION(1, 1)) /* sessions */
/* ── What an earlier snapshot holds of both ── */
bit hasSnapshot
byte oldOwner, oldStored, oldSettled, oldActivation, oldMark
bit oldIsActive
short oldRegistered
bit restarted        /* Redis is in its second run */
byte marks = 1       /* the last mark that was ever made */

bit isOneChunk       /* all elements are in one; otherwise each has its own */

/* ── The api ── */
byte posted          /* elements that were answered 200 */
byte refusedFor      /* activation that the refusal named, plus 1 */
bit hasMarked        /* … and the partition was marked since */

/* ── Workers ── */
#define OUT 0
#define RECLAIMED 1
#define IN 2
/* Of a flight. */
#define NONE 0
#define WAITING 1
#define SENT 2
typedef Worker_ {
  bit isUp = 1
  bit isFrozen       /* the lease ran out, and the worker does not know yet */
  bit noticed        /* knows of the new run */
  byte phase = IN
  byte join = 1
  byte firstJoin = 1 /* of this process */
  byte claims
  byte former        /* claim that it had when its session ended */
  bit wasAlive
  short formerSession
  /* The roster and peers */
  short present
#ifdef UNKNOWN_PEER
  short known = BIT(SESSION(0, 1)) | BIT(SESSION(1, 1))
#endif
  short back         /* processes that have joined in this run */
  byte mark = 1
  byte seen = UNKNOWN /* owner as last read */
  /* The window */
  byte window        /* claim */
  bit isRetiring
  byte loaded
  byte done
  byte pruning       /* deactivated under this mark, and not pruned yet */
  /* The flight */
  byte flight
  bit hasLostWindow
  byte batch
  byte attempt
  byte request
}
Worker_ w[2]

/* ── Requests at MoEngage ── */
#define FREE 0
#define OPEN 1
#define CLOSED 2
#define PROCESSED 3
#define REQUESTS 3
typedef Request_ {
  byte state
  byte elements
  byte session
  byte process
}
Request_ r[REQUESTS]
byte delivered       /* or forgotten by the restart */

/* A settle that Redis will execute late. */
byte lateClaim, lateDone

byte crashes, troubles
short newRun         /* sessions that joined in the new run */

#define PROCESS(v) SESSION(v, w[v].firstJoin)
#define MINE(v) SESSION(v, w[v].join)
#define HOLDS_LEASE(v) (w[v].isUp && w[v].phase == IN && !w[v].isFrozen)
/* The client is connected, and knows to which run. */
#define KNOWS_RUN(v) (w[v].noticed == restarted)
#define JOINED_IN_RUN(s) (restarted == 0 || newRun & BIT(s))

#define MAY_ARRIVE(i) (r[i].state == OPEN || r[i].state == CLOSED)
#define OF_REQUEST(i) (MAY_ARRIVE(i) -> BIT(r[i].session) : 0)
#define PENDING (OF_REQUEST(0) | OF_REQUEST(1) | OF_REQUEST(2))
#define OF_WORKER(v) (HOLDS_LEASE(v) -> BIT(MINE(v)) : 0)
/* Assumption: the lease outlasts what may still arrive of its session, also a frozen or dead one's. */
#define LIVE (OF_WORKER(0) | OF_WORKER(1) | PENDING)

#define LATE_OF(v, i) (r[i].state == CLOSED && r[i].process == PROCESS(v))
#ifdef NO_GRACE /* in-flight.ts: mayArriveLate, freeInMs */
#define IS_FREE(v) (w[v].flight == NONE)
#else
#define IS_FREE(v) (w[v].flight == NONE && !LATE_OF(v, 0) && !LATE_OF(v, 1) && !LATE_OF(v, 2))
#endif
#ifdef NO_LATE /* late.ts: waitMs */
#define OVERTAKES(v, i, m) false
#else
/* An attempt of this flight, which is of its batch. */
#define OVERTAKES(v, i, m) (LATE_OF(v, i) && !(r[i].elements & ~w[v].batch) && ((m) & ~r[i].elements))
#endif

/* Sessions of the former run that may still send. Assumption: none after a lease. */
#define OLD_LEASE(u) (HOLDS_LEASE(u) && !(newRun & BIT(MINE(u))))
#define OLD_REQUEST(i) (MAY_ARRIVE(i) && !(newRun & BIT(r[i].session)))
#define LEASE_HAS_PASSED (!restarted || !(LIVE & ~newRun))
#ifdef UNKNOWN_PEER /* peers.ts as it is */
#define KNOWS(v, s) (w[v].known & BIT(s))
#else
/* Assumption: a worker has seen every session that Redis forgets and that may still send. */
#define KNOWS(v, s) true
#endif
#define AWAITS_LEASE(v, u) (OLD_LEASE(u) && KNOWS(v, MINE(u)))
#define AWAITS_REQUEST(v, i) \
  (OLD_REQUEST(i) && KNOWS(v, r[i].session) && !(w[v].back & BIT(r[i].process)))
#define ALL_ARE_BACK(v) \
  !(AWAITS_LEASE(v, 0) || AWAITS_LEASE(v, 1) \
    || AWAITS_REQUEST(v, 0) || AWAITS_REQUEST(v, 1) || AWAITS_REQUEST(v, 2))
#ifdef NO_DISTRUST /* peers.ts: distrust, trusted */
#define TRUSTED(v) true
#define TRUSTED_AFTER_LEASE true
#else
#define TRUSTED(v) (LEASE_HAS_PASSED || ALL_ARE_BACK(v))
#define TRUSTED_AFTER_LEASE LEASE_HAS_PASSED
#endif

#define IS_OWN(v, claim) (WORKER_OF(SESSION_OF(claim)) == v && JOIN_OF(SESSION_OF(claim)) >= w[v].firstJoin)
#ifdef TRUST_OWN_CLAIM /* ownership.ts: #mayClaim */
#define OWN_COUNTS(v) true
#else
#define OWN_COUNTS(v) (JOINED_IN_RUN(SESSION_OF(w[v].seen)) || TRUSTED(v))
#endif
#ifdef TRUST_FORMER_CLAIM /* ownership.ts: #reclaim */
#define FORMER_COUNTS(v) true
#else
#define FORMER_COUNTS(v) (w[v].wasAlive || JOINED_IN_RUN(SESSION_OF(w[v].former)))
#endif
#define SEEN_SESSION(v) SESSION_OF(w[v].seen)
#ifdef NO_UNJUDGED /* peers.ts: isUnjudged */
#define HAS_ENDED(v) true
#else
#define HAS_ENDED(v) (!KNOWS(v, SEEN_SESSION(v)) || !(LIVE & BIT(SEEN_SESSION(v))))
#endif
#define SEEMS_OVER(v) (!(w[v].present & BIT(SEEN_SESSION(v))) && TRUSTED_AFTER_LEASE && HAS_ENDED(v))
#define MAY_CLAIM(v) \
  (w[v].seen == 0 -> TRUSTED(v) : (IS_OWN(v, w[v].seen) -> OWN_COUNTS(v) : SEEMS_OVER(v)))

#define UNSETTLED (stored & ~settled)

inline setMark() {
  marks++;
  mark = marks
}

/* settle.lua, per chunk */
inline settleChunk(chunk, bits) {
  if
  :: ((bits) & (chunk)) == (chunk & stored) -> settled = settled | ((bits) & (chunk))
  :: else ->
    if
    :: (settled & (chunk)) == (chunk) -> skip /* the job is gone */
#ifdef SETTLE_OVERWRITES /* settle.lua: adds */
    :: (settled & (chunk)) != (chunk) && ((bits) & (chunk)) ->
#else
    :: (settled & (chunk)) != (chunk) && ((bits) & (chunk) & ~settled) ->
#endif
      settled = (settled & ~(chunk)) | ((bits) & (chunk))
    :: else -> skip
    fi
  fi
}

inline settle(bits) {
  before = settled;
  if
  :: isOneChunk -> settleChunk(7, bits)
  :: else -> settleChunk(1, bits); settleChunk(2, bits); settleChunk(4, bits)
  fi;
  settled = settled & stored;
  assert((before & ~settled) == 0) /* a settle takes nothing back */
}

/* ── A worker ── */
inline readRoster() {
  registered = registered & LIVE;
  w[v].present = registered;
#ifdef UNKNOWN_PEER
  w[v].known = w[v].known | registered;
#endif
  w[v].mark = mark;
  w[v].back = 0;
  u = 0;
  do
  :: u < 2 ->
    if
    :: w[u].isUp && (registered & newRun & BIT(MINE(u))) -> w[v].back = w[v].back | BIT(PROCESS(u))
    :: else -> skip
    fi;
    u++
  :: else -> break
  od;
  u = 0
}

inline dropWindow() {
  w[v].window = 0;
  w[v].isRetiring = 0;
  w[v].loaded = 0;
  w[v].done = 0;
  w[v].pruning = 0;
  w[v].hasLostWindow = (w[v].flight != NONE)
}

inline lose(alive) {
  if
  :: w[v].window != 0 ->
    w[v].former = w[v].window;
    w[v].wasAlive = alive
  :: else -> skip
  fi;
  w[v].present = 0;
  w[v].back = 0;
  w[v].formerSession = BIT(MINE(v));
  dropWindow();
  w[v].seen = UNKNOWN;
  w[v].isFrozen = 0;
  w[v].phase = OUT
}

inline endFlight() {
  w[v].flight = NONE;
  w[v].hasLostWindow = 0;
  w[v].batch = 0;
  w[v].attempt = 0
}

inline forgetAll() {
  w[v].isUp = 0;
  w[v].phase = OUT;
  w[v].isFrozen = 0;
  w[v].former = 0;
  w[v].wasAlive = 0;
  w[v].formerSession = 0;
  w[v].present = 0;
#ifdef UNKNOWN_PEER
  w[v].known = 0;
#endif
  w[v].back = 0;
  w[v].mark = 0;
  w[v].seen = UNKNOWN;
  w[v].claims = 0;
  endFlight();
  dropWindow()
}

inline closeRequest(i) {
  if
  :: r[i].state == OPEN -> r[i].state = CLOSED
  :: else -> freeRequest(i)
  fi
}

inline freeRequest(i) {
  r[i].state = FREE;
  r[i].elements = 0;
  r[i].session = 0;
  r[i].process = 0
}

#define IS_OLDER(i, m) (MAY_ARRIVE(i) && TOP(r[i].elements) < TOP(m))
inline send(m) {
  /* Nothing newer than what MoEngage may still process: that could arrive last. */
  assert(!IS_OLDER(0, m) && !IS_OLDER(1, m) && !IS_OLDER(2, m));
  w[v].attempt = m;
  w[v].flight = SENT;
  u = 0;
  do
  :: r[u].state == FREE -> break
  :: else -> u++
  od;
  w[v].request = u;
  r[u].state = OPEN;
  r[u].elements = m;
  r[u].session = MINE(v);
  r[u].process = PROCESS(v);
  u = 0
}

#define HAS_ANSWER(v) (w[v].flight == SENT && r[w[v].request].state == PROCESSED)
#define REST(v) (w[v].batch & ~w[v].done)
#ifdef NO_LEASE_CHECK /* flight.ts: mayFinish */
#define MAY_FINISH(v) (w[v].isUp && !w[v].hasLostWindow)
#else
#define MAY_FINISH(v) (HOLDS_LEASE(v) && !w[v].hasLostWindow)
#endif
#define MAY_SEND(v, m) \
  (w[v].flight == WAITING && MAY_FINISH(v) && (m) != 0 \
    && !OVERTAKES(v, 0, m) && !OVERTAKES(v, 1, m) && !OVERTAKES(v, 2, m))
#define CAN_ACT(v) (HOLDS_LEASE(v) && KNOWS_RUN(v))

proctype Worker(bit v) {
  byte u, before;
end:
  do
  /* session.ts: #join; ownership.ts: reclaim */
  :: d_step { w[v].isUp && w[v].phase == OUT && KNOWS_RUN(v) ->
      w[v].join++;
      w[v].claims = 0;
      if
      :: restarted == 1 -> newRun = newRun | BIT(MINE(v))
      :: else -> skip
      fi;
#ifndef NO_RECLAIM /* ownership.ts: reclaim */
      if
      :: w[v].former != 0 && (owner == w[v].former && FORMER_COUNTS(v)
          || w[v].wasAlive && (owner == 0 || !(newRun & BIT(SESSION_OF(owner))))) ->
        w[v].claims++;
        owner = CLAIM(MINE(v), w[v].claims)
      :: else -> skip
      fi;
#endif
      w[v].former = 0;
      w[v].wasAlive = 0;
      w[v].phase = RECLAIMED
    }
  :: d_step { w[v].isUp && w[v].phase == RECLAIMED && KNOWS_RUN(v) ->
      registered = (registered & ~w[v].formerSession) | BIT(MINE(v));
      w[v].formerSession = 0;
      w[v].phase = IN
    }
  /* session.ts: a lease that ran out, or a new run */
  :: d_step { w[v].isUp && w[v].isFrozen -> lose(0) }
  :: d_step { w[v].isUp && !KNOWS_RUN(v) ->
      w[v].noticed = 1;
      if
      :: w[v].phase == OUT -> skip
      :: else -> lose(HOLDS_LEASE(v))
      fi
    }

  /* ownership.ts: balance. The owner is read before the roster that judges it. */
  :: d_step { CAN_ACT(v) && w[v].window == 0 &&
      (w[v].seen != owner || w[v].present != (registered & LIVE) || w[v].mark != mark) ->
#ifdef NO_UNJUDGED /* peers.ts: isUnjudged */
      if
      :: w[v].seen == owner -> readRoster()
      :: else -> skip
      fi;
      w[v].seen = owner
#else
      readRoster();
      w[v].seen = owner
#endif
    }
  :: d_step { HOLDS_LEASE(v) && w[v].window == 0 && w[v].mark != 0 && w[v].seen != UNKNOWN && MAY_CLAIM(v) ->
#ifdef CLAIM_BLINDLY /* claim.lua: owner ~= ARGV[1] */
      if
      :: true ->
#else
      if
      :: owner == w[v].seen ->
#endif
        w[v].claims++;
        owner = CLAIM(MINE(v), w[v].claims);
        if
        :: KNOWS_RUN(v) ->
          w[v].window = owner;
          w[v].present = 0;
          w[v].back = 0
        :: else -> skip /* the reply comes after the news of the new run */
        fi
#ifndef CLAIM_BLINDLY
      :: else -> skip
#endif
      fi;
      w[v].seen = UNKNOWN
    }
  /* The fair share is smaller now. */
  :: d_step { CAN_ACT(v) && w[v].window != 0 && !w[v].isRetiring && troubles < TROUBLES ->
      troubles++;
      w[v].isRetiring = 1
    }
#ifdef RELEASE_BEFORE_LANDED /* ownership.ts: #retire */
  :: d_step { w[v].isRetiring && CAN_ACT(v) ->
#else
  :: d_step { w[v].isRetiring && IS_FREE(v) && CAN_ACT(v) ->
#endif
      if
      :: owner == w[v].window -> owner = 0
      :: else -> skip
      fi;
      dropWindow();
      w[v].seen = 0
    }
  /* Deactivation: two slots, two steps. */
  :: d_step { CAN_ACT(v) && w[v].window != 0 && w[v].mark != 0 && w[v].mark != UNKNOWN && w[v].pruning == 0 &&
      troubles < TROUBLES && IS_FREE(v) && (w[v].loaded & ~w[v].done) == 0 ->
#ifdef STRIKE_NONEMPTY /* deactivate.lua: LLEN */
      if
      :: true ->
#else
      if
      :: UNSETTLED == 0 ->
#endif
        troubles++;
        isActive = 0;
        activation++;
        w[v].pruning = w[v].mark
#ifndef STRIKE_NONEMPTY
      :: else -> skip
#endif
      fi;
      w[v].mark = UNKNOWN
    }
  :: d_step { CAN_ACT(v) && w[v].pruning != 0 ->
#ifdef PRUNE_ANY_MARK /* prune.lua: mark ~= ARGV[i + 1] */
      mark = 0;
#else
      if
      :: mark == w[v].pruning -> mark = 0
      :: else -> skip
      fi;
#endif
      w[v].pruning = 0
    }
#ifndef NO_RECONCILER /* reconciler.ts: #look */
  :: d_step { CAN_ACT(v) && UNSETTLED != 0 && mark == 0 -> setMark() }
#endif

  /* fetch and pack */
  :: d_step { CAN_ACT(v) && w[v].window != 0 && !w[v].isRetiring && IS_FREE(v) &&
      ((w[v].loaded & ~w[v].done) | (UNSETTLED & ~w[v].loaded)) != 0 ->
      w[v].done = w[v].done | (settled & ~w[v].loaded);
      w[v].loaded = w[v].loaded | stored;
      w[v].batch = w[v].loaded & ~w[v].done;
      w[v].flight = WAITING
    }
  /* One attempt: all that is left, or the first part of it. */
  :: d_step { MAY_SEND(v, REST(v)) -> send(REST(v)) }
  :: d_step { MAY_SEND(v, FIRST(REST(v))) && FIRST(REST(v)) != REST(v) -> send(FIRST(REST(v))) }
  :: d_step { w[v].flight == SENT && troubles < TROUBLES ->
      troubles++;
      closeRequest(w[v].request);
      w[v].request = 0;
      w[v].attempt = 0;
      w[v].flight = WAITING
    }
  :: d_step { w[v].flight == WAITING && w[v].hasLostWindow -> endFlight() }
  :: d_step { HAS_ANSWER(v) ->
      freeRequest(w[v].request);
      w[v].request = 0;
      if
      :: w[v].hasLostWindow -> endFlight()
      :: !w[v].hasLostWindow && owner != w[v].window ->
        endFlight();
        dropWindow();
        w[v].seen = UNKNOWN
      :: else ->
        w[v].done = w[v].done | w[v].attempt;
        w[v].attempt = 0;
        settle(w[v].done);
        if
        :: REST(v) == 0 -> endFlight()
        :: else -> w[v].flight = WAITING
        fi
      fi;
      before = 0
    }
  /* The same, but the reply is lost: the settle that Redis executes late is repeated. */
  :: d_step { HAS_ANSWER(v) && !w[v].hasLostWindow && troubles < TROUBLES ->
      troubles++;
      lateClaim = w[v].window;
      lateDone = w[v].done | w[v].attempt
    }

  /* One without claim and request changes nothing by dying. */
  :: d_step { w[v].isUp && crashes < CRASHES && (w[v].window != 0 || w[v].flight != NONE || w[v].former != 0
        || w[v].phase == RECLAIMED || LATE_OF(v, 0) || LATE_OF(v, 1) || LATE_OF(v, 2)) ->
      crashes++;
      if
      :: w[v].flight == SENT -> closeRequest(w[v].request); w[v].request = 0
      :: else -> skip
      fi;
      forgetAll()
    }
  :: d_step { !w[v].isUp ->
      w[v].isUp = 1;
      w[v].firstJoin = w[v].join + 1;
      w[v].noticed = restarted
    }
  /* Attempts end a grace before the lease. */
  :: d_step { HOLDS_LEASE(v) && troubles < TROUBLES && !(PENDING & BIT(MINE(v))) ->
      troubles++;
      w[v].isFrozen = 1
    }
  od
}

/* One worker owns the partition, which is empty. */
init {
  atomic {
#ifdef UNKNOWN_PEER /* … or none yet, and the second worker has not joined. */
    owner = 0;
    registered = BIT(SESSION(0, 1));
    w[0].known = registered;
    w[1].phase = OUT;
    w[1].join = 0;
#else
    w[0].window = owner;
    w[0].claims = 1;
#endif
    run Worker(0);
    run Worker(1)
  }
}

/* ── An api: add-chunk.lua and mark.lua ── */
#ifdef ADD_UNMARKED /* add-chunk.lua: activation */
#define MAY_ADD true
#else
#define MAY_ADD (isActive || hasMarked && refusedFor == activation + 1)
#endif
inline add(n) {
  stored = stored | ((BIT(n) - 1) << posted);
  isActive = 1;
  hasMarked = 0;
  refusedFor = 0;
  posted = posted + n
}
active proctype Api() {
end:
  do
  :: d_step { posted < 3 && MAY_ADD -> add(1) }
  :: d_step { posted == 0 && MAY_ADD -> isOneChunk = 1; add(3) }
  :: d_step { posted < 3 && !MAY_ADD && (hasMarked || refusedFor == 0) ->
      hasMarked = 0;
      refusedFor = activation + 1
    }
  :: d_step { refusedFor != 0 && !hasMarked -> setMark(); hasMarked = 1 }
  od
}

/* ── MoEngage ── */
#define REQUEST(i) \
  :: d_step { MAY_ARRIVE(i) -> \
      /* First deliveries are in order. */ \
      assert((FIRST(r[i].elements & ~delivered) - 1 & ~delivered & ALL) == 0 \
        || (r[i].elements & ~delivered) == 0); \
      delivered = delivered | r[i].elements; \
      if \
      :: r[i].state == OPEN -> r[i].state = PROCESSED \
      :: else -> freeRequest(i) \
      fi \
    } \
  :: d_step { r[i].state == CLOSED -> freeRequest(i) /* it never arrives */ }
active proctype MoEngage() {
end:
  do
  REQUEST(0)
  REQUEST(1)
  REQUEST(2)
  od
}

/* ── Redis ── */
#define SLOT_OF_PARTITION 1
#define SLOT_OF_DEPLOYMENT 2
inline restart(slots) {
  restarted = 1;
  lateClaim = 0;
  lateDone = 0;
  if
  :: (slots) & SLOT_OF_PARTITION ->
    delivered = delivered | ((BIT(posted) - 1) & ~oldStored);
    owner = oldOwner;
    stored = oldStored;
    settled = oldSettled;
    isActive = oldIsActive;
    activation = oldActivation
  :: else -> skip
  fi;
  if
  :: (slots) & SLOT_OF_DEPLOYMENT ->
    mark = oldMark;
    registered = oldRegistered
  :: else -> skip
  fi;
  hasSnapshot = 0;
  oldOwner = 0; oldStored = 0; oldSettled = 0; oldIsActive = 0; oldActivation = 0;
  oldMark = 0; oldRegistered = 0
}
active proctype Redis() {
  byte before;
end:
  do
  :: d_step { lateClaim != 0 ->
      if
      :: owner == lateClaim -> settle(lateDone)
      :: else -> skip
      fi;
      lateClaim = 0;
      lateDone = 0;
      before = 0
    }
  :: d_step { RESTARTS > 0 && restarted == 0 && !hasSnapshot ->
      hasSnapshot = 1;
      oldOwner = owner; oldStored = stored; oldSettled = settled; oldIsActive = isActive;
      oldActivation = activation; oldMark = mark; oldRegistered = registered
    }
  :: d_step { hasSnapshot -> restart(SLOT_OF_PARTITION + SLOT_OF_DEPLOYMENT) }
#ifdef CLUSTER
  :: d_step { hasSnapshot -> restart(SLOT_OF_PARTITION) }
  :: d_step { hasSnapshot -> restart(SLOT_OF_DEPLOYMENT) }
#endif
  od
}

/* A partition with elements is in the active set, unless a restart forgot one slot alone. */
active proctype ActiveSet() {
end:
  d_step { restarted == 0 && UNSETTLED != 0 && mark == 0 -> assert(false) }
}

/* Nothing can happen any more: what was accepted and not forgotten is delivered. */
active proctype End() {
  timeout -> d_step {
    assert(posted == 3 && UNSETTLED == 0);
    assert(delivered == ALL)
  }
}
