/*
 * The recovery of the budget ledger: reservations, refunds, workers that die, and a Redis that returns to an
 * earlier snapshot. Three requests of one unit each, a limit of one a window, two workers. Every mutant
 * (`#ifdef`) names the code that it breaks.
 *
 * Laws: no window at MoEngage holds more than the limit; the ledger opens again, and grants all, in the end.
 *
 * Assumed. Clocks are an order of events: a reservation expires, and the wait of a recovery ends, only when its
 * request cannot count any more. A worker reserves in a new run only after it knows of the run. Whose reservations
 * a restart forgets is in the registry that it went back to: see UNKNOWN_WORKER.
 *
 * Left out: waiters, lanes and their shares, limits that change, steps of clocks, an empty ledger (`ended`),
 * `durability: replica`.
 */
#ifndef CRASHES
#define CRASHES 2
#endif
#ifndef RESTARTS
#define RESTARTS 1
#endif
/* Of these together: a grant whose reply is lost, a refund, a deadline that passes before the send. */
#ifndef TROUBLES
#define TROUBLES 1
#endif
#define REQUESTS 3
#define LIMIT 1
#define BIT(n) (1 << (n))

/* ── Requests, as MoEngage sees them ── */
#define UNSENT 0
#define SENT 1       /* it may count at any moment */
#define COUNTED 2    /* it is in the window */
#define PAST 3       /* its window is over, or it never arrives */
byte at[REQUESTS]
byte process[REQUESTS] /* of the worker */
byte next            /* request */

/* ── Redis: the ledger, its recovery, and the registry ── */
bit incarnation
byte counted         /* reservations, as a set of requests */
bit isRecovering
byte required        /* processes */
byte entered
byte registered = 3
bit hasBefore        /* a worker has joined in this run */
byte before          /* processes that were registered when it began */
/* ── What an earlier snapshot holds ── */
bit hasSnapshot
byte oldCounted, oldRegistered
bit restarted

/* ── Workers ── */
typedef Worker_ {
  bit isUp = 1
  byte life
  bit noticed        /* knows of the new run */
  byte roster = 3    /* 0: none was read in this run */
  byte own           /* its reservations of the last window */
  byte granted       /* a request to be sent, plus 1 */
  byte unused        /* requests that may be reserved in vain */
}
Worker_ w[2]
byte crashes, troubles
byte newRun          /* requests that were reserved in the new run */

#define PROCESS(v) (2 * w[v].life + v)
#define ME(v) BIT(PROCESS(v))
#define CAN_ACT(v) (w[v].isUp && w[v].noticed == restarted)

#define IN_WINDOW(i) (at[i] == COUNTED -> 1 : 0)
#define USED_AT_MOENGAGE (IN_WINDOW(0) + IN_WINDOW(1) + IN_WINDOW(2))
#define IN_LEDGER(i) ((counted & BIT(i)) -> 1 : 0)
#define USED (IN_LEDGER(0) + IN_LEDGER(1) + IN_LEDGER(2))

#define IS_HELD(i) (w[0].granted == i + 1 || w[1].granted == i + 1)
#define MAY_COUNT(i) (IS_HELD(i) || at[i] == SENT || at[i] == COUNTED)
/*
 * Assumption: a reservation expires, in the ledger and in its worker's notes, once MoEngage cannot count its
 * request any more: a window after the answer, or after deadline and grace.
 */
#ifdef COUNTS_FROM_SEND /* reserve.lua: ARGV[10] */
#define CAN_EXPIRE(i) (!IS_HELD(i) && at[i] != COUNTED)
#else
#define CAN_EXPIRE(i) !MAY_COUNT(i)
#endif
/* Assumption: `countsMs` after the start of the run, nothing counts that was reserved before it. */
#ifdef SHORT_WAIT /* workspace-service.ts: countsMs */
#define OLD_COUNTS(i) (at[i] == COUNTED && !(newRun & BIT(i)))
#else
#define OLD_COUNTS(i) (MAY_COUNT(i) && !(newRun & BIT(i)))
#endif
#define WAIT_IS_OVER !(OLD_COUNTS(0) || OLD_COUNTS(1) || OLD_COUNTS(2))

#ifdef NO_BEFORE /* worker.ts: #recovery */
#define WORKERS(v) (w[v].roster | ME(v))
#else
#define WORKERS(v) (w[v].roster | before | ME(v))
#endif
#ifdef NO_ROSTER /* workspace-service.ts: recovery === null */
#define MAY_RECOVER(v) true
#else
#define MAY_RECOVER(v) (w[v].roster != 0)
#endif
#ifdef OPEN_AT_ONCE /* recover-ledger.lua: missing and left > 0 */
#define MAY_OPEN(v) true
#else
#define MAY_OPEN(v) (((required | WORKERS(v)) & ~(entered | ME(v))) == 0 || WAIT_IS_OVER)
#endif
#ifdef NO_INCARNATION /* reserve.lua: ARGV[12] */
#define IS_OPEN true
#else
#define IS_OPEN (incarnation == restarted)
#endif


proctype Worker(bit v) {
end:
  do
  /* session.lua: joins, and reads who was registered before */
  :: d_step { CAN_ACT(v) && (w[v].roster == 0 || w[v].roster != registered && !IS_OPEN) ->
      if
      :: restarted && !hasBefore -> hasBefore = 1; before = registered
      :: else -> skip
      fi;
      registered = registered | ME(v);
      w[v].roster = registered
    }
  :: d_step { w[v].isUp && w[v].noticed != restarted ->
      w[v].noticed = 1;
      w[v].roster = 0
    }
  /* workspace-service.ts: recover */
  :: d_step { CAN_ACT(v) && incarnation != restarted && MAY_RECOVER(v) && (!(entered & ME(v)) || MAY_OPEN(v)) ->
      if
      :: !isRecovering -> isRecovering = 1; required = WORKERS(v)
      :: else -> skip
      fi;
#ifndef REENTER_NOTHING /* reservations.ts: open */
      counted = counted | w[v].own;
#endif
      entered = entered | ME(v);
      if
      :: MAY_OPEN(v) -> incarnation = restarted; isRecovering = 0; required = 0; entered = 0
      :: else -> skip
      fi
    }
  /* A late worker's reservations are entered too. */
  :: d_step { CAN_ACT(v) && incarnation == restarted && restarted && (w[v].own & ~counted) ->
      counted = counted | w[v].own
    }

  /* admission.ts: ask; reserve.lua */
  :: d_step { CAN_ACT(v) && IS_OPEN && next < REQUESTS && USED < LIMIT && w[v].granted == 0 ->
      counted = counted | BIT(next);
      process[next] = PROCESS(v);
      newRun = (restarted -> newRun | BIT(next) : newRun);
      w[v].granted = next + 1;
#ifndef NOTE_NOTHING /* admission.ts: reservations.note */
      w[v].own = w[v].own | BIT(next);
#endif
      next++
    }
  :: d_step { CAN_ACT(v) && IS_OPEN && next < REQUESTS && USED < LIMIT && troubles < TROUBLES ->
      troubles++;
      counted = counted | BIT(next);
      w[v].unused = w[v].unused | BIT(next);
      next++
    }
  :: d_step { CAN_ACT(v) && (w[v].unused & counted) ->
      counted = counted & ~w[v].unused;
      w[v].unused = 0
    }
  /* Sends, even before it knows of the new run; */
  :: d_step { w[v].isUp && w[v].granted != 0 ->
      at[w[v].granted - 1] = SENT;
      w[v].granted = 0
    }
  /* or nothing leaves: a refund; or the deadline passes while it is frozen. */
  :: d_step { CAN_ACT(v) && w[v].granted != 0 && troubles < TROUBLES ->
      troubles++;
      counted = counted & ~BIT(w[v].granted - 1);
      w[v].own = w[v].own & ~BIT(w[v].granted - 1);
      w[v].granted = 0
    }
  :: d_step { w[v].isUp && w[v].granted != 0 && troubles < TROUBLES -> troubles++; w[v].granted = 0 }
#ifdef REFUND_SENT /* flight.ts: NEVER_LEFT */
  :: d_step { CAN_ACT(v) && next > 0 && at[next - 1] == SENT && process[next - 1] == PROCESS(v) ->
      counted = counted & ~BIT(next - 1);
      w[v].own = w[v].own & ~BIT(next - 1)
    }
#endif

  /* One without reservations only delays a recovery by dying. */
  :: d_step { w[v].isUp && crashes < CRASHES && (w[v].own | w[v].granted | w[v].unused) ->
      crashes++;
      w[v].isUp = 0;
      w[v].granted = 0;
      w[v].own = 0;
      w[v].unused = 0;
      w[v].roster = 0
    }
  :: d_step { !w[v].isUp ->
      w[v].isUp = 1;
      w[v].life++;
      w[v].noticed = restarted
    }
  od
}

init {
  atomic {
    run Worker(0);
    run Worker(1)
  }
}

#define REQUEST(i) \
  :: d_step { at[i] == SENT -> at[i] = COUNTED; assert(USED_AT_MOENGAGE <= LIMIT) } \
  :: d_step { at[i] == SENT || at[i] == COUNTED -> at[i] = PAST } \
  :: d_step { CAN_EXPIRE(i) && ((counted | w[0].own | w[1].own) & BIT(i)) -> \
      counted = counted & ~BIT(i); \
      w[0].own = w[0].own & ~BIT(i); \
      w[1].own = w[1].own & ~BIT(i) \
    }
active proctype MoEngageAndTime() {
end:
  do
  REQUEST(0)
  REQUEST(1)
  REQUEST(2)
  od
}

/*
 * Assumption: whose reservations a restart forgets, it does not forget himself. (A worker that joined after the
 * moment to which Redis went back must recover before the others do.)
 */
#ifdef UNKNOWN_WORKER
#define IS_KNOWN(i) true
#else
#define IS_KNOWN(i) (!MAY_COUNT(i) || (oldCounted & BIT(i)) || (oldRegistered & BIT(process[i])))
#endif
#define IS_DEAD(p) (!(w[p & 1].isUp && w[p & 1].life == p >> 1))
#ifdef EXPIRED_BEFORE_READ /* session.lua: before */
#define MAY_EXPIRE true
#else
/* Expired sessions leave when a session is renewed, the first time in a run after "before" was read. */
#define MAY_EXPIRE (!restarted || hasBefore)
#endif
#define EXPIRE(p) :: d_step { (registered & BIT(p)) && IS_DEAD(p) && MAY_EXPIRE -> registered = registered & ~BIT(p) }
active proctype Redis() {
end:
  do
  :: d_step { RESTARTS > 0 && !restarted && !hasSnapshot ->
      hasSnapshot = 1;
      oldCounted = counted;
      oldRegistered = registered
    }
  :: d_step { hasSnapshot && IS_KNOWN(0) && IS_KNOWN(1) && IS_KNOWN(2) ->
      restarted = 1;
      hasSnapshot = 0;
      counted = oldCounted;
      registered = oldRegistered;
      oldCounted = 0;
      oldRegistered = 0;
      process[0] = 0; process[1] = 0; process[2] = 0
    }
  EXPIRE(0) EXPIRE(1) EXPIRE(2) EXPIRE(3) EXPIRE(4) EXPIRE(5)
  od
}

/* Nothing can happen any more: the ledger is open, all was granted, and nothing counts. */
active proctype End() {
  timeout -> assert(incarnation == restarted && next == REQUESTS && counted == 0)
}
