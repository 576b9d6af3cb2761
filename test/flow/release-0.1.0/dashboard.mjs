// packages/contracts/src/events.ts
var SNAPSHOT_EVENTS = [
  "appointment:created",
  "appointment:updated",
  "appointment:canceled"
];
var [APPOINTMENT_CREATED, APPOINTMENT_UPDATED, APPOINTMENT_CANCELED] = SNAPSHOT_EVENTS;
var APPOINTMENT_DELETED = "appointment:deleted";
var APPOINTMENT_EVENTS = [...SNAPSHOT_EVENTS, APPOINTMENT_DELETED];
var POSITION_EVENT = "emissions:position";
var ALIVE_EVENT = "emissions:alive";
var CATCH_UP_EVENT = "emissions:catch-up";
var PASSED_EVENT = "emissions:passed";
var TOKEN_EVENT = "emissions:token";
var SEEN_EVENT = "emissions:seen";
function isAppointmentEvent(value) {
  return APPOINTMENT_EVENTS.includes(value);
}

// packages/contracts/src/names.ts
var DASHBOARD_NAMESPACE = "/";

// packages/dashboard/src/api-address.ts
var EXAMPLE = "write an address such as https://api.example.com";
function readApiAddress({ url, basePath = "" }) {
  const path = basePath.split("/").filter((part) => part !== "");
  if (/[\s?#\\]/.test(basePath) || path.some((part) => /^\.\.?$/.test(part))) {
    throw new TypeError("basePath is not a path: write it as in BASE_PATH, such as /calendar");
  }
  return { origin: readOrigin(url), basePath: path.map((part) => `/${part}`).join("") };
}
function readOrigin(given) {
  if (typeof given !== "string" && !(given instanceof URL)) throw new TypeError(`url is missing: ${EXAMPLE}`);
  const text = String(given).trim();
  const page = pageUrl();
  const isRelative = text === "" || /^[/\\]/.test(text);
  if (isRelative && page === void 0) {
    throw new TypeError(`url is relative, which only works in a page: ${EXAMPLE}`);
  }
  const absolute = withScheme(text, page);
  if (!URL.canParse(absolute, page?.href)) throw new TypeError(`url cannot be read: ${EXAMPLE}`);
  const { protocol, username, password, host } = new URL(absolute, page?.href);
  if (protocol !== "http:" && protocol !== "https:") {
    throw new TypeError(`url must begin with http:// or https://: ${EXAMPLE}`);
  }
  if (username !== "" || password !== "") {
    throw new TypeError("url must not contain a user name or password; getToken provides the token");
  }
  return `${protocol}//${host}`;
}
function pageUrl() {
  const { location } = globalThis;
  const href = location?.href;
  if (typeof href !== "string" || !/^https?:/.test(href)) return void 0;
  return new URL(href);
}
function withScheme(text, page) {
  if (/^([\w.-]+|\[[\da-f:.]+\]):\d+(?:[/?#]|$)/i.test(text)) return `${page?.protocol ?? "http:"}//${text}`;
  if (/^wss?:/i.test(text)) return text.replace(/^ws/i, "http");
  if (text === "" || /^[/\\]/.test(text) || /^[a-z][a-z\d+.-]*:/i.test(text)) return text;
  throw new TypeError(`url must begin with http:// or https://: ${EXAMPLE}`);
}

// packages/dashboard/src/edits/edited-screen.ts
function createOpenEdits(confirmed, canReload) {
  let open = [];
  const isContradicted = (edit) => contradicts(confirmed.rows.get(edit.id)?.appointment, edit, open);
  function yieldToSnapshots(ended) {
    const at = open.indexOf(ended);
    for (const earlier of open.slice(0, at).filter(({ id }) => id === ended.id)) {
      const left = Object.entries(earlier.patch).filter(([field]) => !(field in ended.patch));
      earlier.patch = Object.fromEntries(left);
    }
    open.splice(at, 1);
  }
  return {
    get ids() {
      return new Set(open.map(({ id }) => id));
    },
    has: (edit) => open.includes(edit),
    of: (id) => open.filter((edit) => edit.id === id),
    get needsList() {
      return canReload && open.some((edit) => edit.isCommitted && edit.isDoubtful && isContradicted(edit));
    },
    begin(id, patch) {
      const flags = { isCommitted: false, isCovered: false, isDoubtful: false, hasExpired: false };
      const edit = { id, patch: { ...patch }, ...flags };
      open.push(edit);
      return edit;
    },
    onSnapshot(id) {
      for (const edit of open) if (edit.id === id) edit.isDoubtful = true;
    },
    onListRequest: () => {
      for (const edit of open) edit.isCovered = edit.isCommitted;
    },
    /** If the appointment is outside the range of the list, a snapshot that was read before the commit can still arrive. */
    onList(listed) {
      for (const edit of [...open].reverse()) {
        if (!edit.isCovered) continue;
        edit.isDoubtful = false;
        if (edit.hasExpired || listed.has(edit.id)) yieldToSnapshots(edit);
      }
    },
    expire(edit) {
      edit.isDoubtful = edit.hasExpired = true;
      if (open.includes(edit) && !(canReload && isContradicted(edit))) yieldToSnapshots(edit);
    },
    remove(isRemoved) {
      open = open.filter((edit) => !isRemoved(edit));
    }
  };
}
function contradicts(snapshot, edit, open) {
  const later = open.slice(open.indexOf(edit) + 1).filter(({ id, isCommitted }) => id === edit.id && isCommitted);
  const onTop = Object.entries(edit.patch).filter(([field]) => !later.some(({ patch }) => field in patch));
  return snapshot !== void 0 && !includes(snapshot, Object.fromEntries(onTop));
}
function includes(actual, wanted) {
  if (Object.is(actual, wanted)) return true;
  if (!isObject(actual) || !isObject(wanted)) return false;
  if (Array.isArray(wanted) && (!Array.isArray(actual) || actual.length !== wanted.length)) return false;
  return Object.entries(wanted).every(([field, value]) => includes(actual[field], value));
}
function isObject(value) {
  return typeof value === "object" && value !== null;
}
function createEditedRows(confirmed, edits) {
  const edited = /* @__PURE__ */ new Map();
  let rows;
  function update(id) {
    const row = confirmed.rows.get(id);
    const patches = edits.of(id).map(({ patch }) => patch);
    rows = void 0;
    if (row === void 0 || patches.length === 0) edited.delete(id);
    else {
      const apply = (before, patch) => ({
        ...before,
        ...patch,
        _id: id
      });
      edited.set(id, { ...row, appointment: patches.reduce(apply, row.appointment) });
    }
  }
  return {
    get rows() {
      return edited.size === 0 ? confirmed.rows : rows ??= new Map([...confirmed.rows, ...edited]);
    },
    update,
    updateAll() {
      for (const id of /* @__PURE__ */ new Set([...edited.keys(), ...edits.ids])) update(id);
    }
  };
}
function createEditedScreen(confirmed, canReload) {
  const edits = createOpenEdits(confirmed, canReload);
  const shown = createEditedRows(confirmed, edits);
  function beginEdit(id, patch) {
    const edit = edits.begin(id, patch);
    shown.update(id);
    return {
      get hasEnded() {
        return !edits.has(edit);
      },
      commit() {
        edit.isCommitted = true;
      },
      rollBack() {
        edits.remove((other) => other === edit);
        shown.update(id);
      },
      expire() {
        edits.expire(edit);
        shown.update(id);
      }
    };
  }
  return {
    beginEdit,
    ...confirmedChanges(confirmed, edits, shown),
    onListRequest: edits.onListRequest,
    get needsList() {
      return edits.needsList;
    },
    get rows() {
      return shown.rows;
    }
  };
}
function confirmedChanges(confirmed, edits, shown) {
  return {
    show(row) {
      const { _id: id } = row.appointment;
      const isNewer = confirmed.show(row);
      edits.onSnapshot(id);
      shown.update(id);
      return isNewer;
    },
    remove(id, stamp) {
      const isNewer = confirmed.remove(id, stamp);
      if (isNewer) edits.remove((edit) => edit.id === id);
      shown.update(id);
      return isNewer;
    },
    clear() {
      confirmed.clear();
      shown.updateAll();
    },
    replace(list) {
      confirmed.replace(list);
      edits.onList(new Set(list.appointments.map(({ appointment }) => appointment._id)));
      shown.updateAll();
    },
    distrustAbove(position) {
      confirmed.distrustAbove(position);
      shown.updateAll();
    }
  };
}

// packages/dashboard/src/timers.ts
function createAlarm() {
  let timer;
  const clear = () => {
    clearTimeout(timer);
    timer = void 0;
  };
  return {
    get isSet() {
      return timer !== void 0;
    },
    set(delayMs, ring) {
      clear();
      timer = setTimeout(() => {
        timer = void 0;
        ring();
      }, delayMs);
    },
    clear
  };
}
function createBackoff({ firstMs, longestMs, random }) {
  let boundMs = firstMs;
  return {
    nextMs() {
      const delayMs = random() * boundMs;
      boundMs = Math.min(boundMs * 2, longestMs);
      return delayMs;
    },
    reset() {
      boundMs = firstMs;
    }
  };
}

// packages/dashboard/src/parse.ts
function parseEvent({
  payload,
  meta
}) {
  const { emissionId, event, epoch, offset, read } = fieldsOf(meta);
  const isOrdered = isName(epoch) && isCount(offset) && isCount(read);
  if (!isOrdered || typeof emissionId !== "string" || !isAppointmentEvent(event)) return void 0;
  if (!isName(fieldsOf(fieldsOf(payload)["appointment"])["_id"])) return void 0;
  return { payload, meta };
}
function parsePosition(given) {
  const { epoch, offset, recovered, reason } = fieldsOf(given);
  if (typeof epoch !== "string" || !isCount(offset) || typeof recovered !== "boolean") return void 0;
  if (recovered && epoch === "") return void 0;
  return {
    epoch,
    offset,
    recovered,
    ...isName(reason) && { reason }
  };
}
function parsePassed(given) {
  const { epoch, offset } = fieldsOf(given);
  return isName(epoch) && isCount(offset) ? { epoch, offset } : void 0;
}
function isTokenAccepted(reply) {
  return fieldsOf(reply)["ok"] === true;
}
function parseList(given) {
  const { epoch, offset, appointments } = fieldsOf(given);
  const isWhole = isName(epoch) && isCount(offset) && Array.isArray(appointments) && appointments.every(isRow);
  if (!isWhole)
    throw new Error(
      "the list is malformed: it must have epoch, offset and appointments, as in the reply of the list route"
    );
  return given;
}
function isRow(row) {
  const { appointment, offset, read } = fieldsOf(row);
  return isName(fieldsOf(appointment)["_id"]) && isCount(offset) && isCount(read);
}
function fieldsOf(value) {
  return typeof value === "object" && value !== null ? value : {};
}
function isName(value) {
  return typeof value === "string" && value !== "";
}
function isCount(value) {
  return Number.isSafeInteger(value) && value >= 0;
}

// packages/dashboard/src/catch-up.ts
var MAX_FUTILE_REPLIES = 5;
function createCatchUp({ timings, random, sequence, connection, onChange }) {
  const backoff = createBackoff({ firstMs: timings.catchUpMs, longestMs: timings.longestCatchUpMs, random });
  const next = createAlarm();
  const withOpenRequest = /* @__PURE__ */ new WeakSet();
  let futileReplies = 0;
  async function request() {
    const used = connection();
    const from = sequence.position && { ...sequence.position };
    if (!sequence.isBehind || used === void 0 || from === void 0) return;
    withOpenRequest.add(used);
    try {
      const update = parsePosition(await used.catchUp(from, timings.answerMs));
      if (used !== connection()) return;
      if (update === void 0) {
        futileReplies += 1;
        return;
      }
      const before = sequence.position?.offset;
      sequence.onReply(from, update);
      const helped = !update.recovered || sequence.position?.offset !== before;
      futileReplies = helped ? 0 : futileReplies + 1;
    } catch {
    } finally {
      withOpenRequest.delete(used);
      onChange();
    }
  }
  return {
    /** Must be called after every change. The first request is delayed a little, since the gap may close without it. */
    check() {
      const used = connection();
      if (used !== void 0 && withOpenRequest.has(used)) return;
      if (!sequence.isBehind) {
        next.clear();
        backoff.reset();
        futileReplies = 0;
      } else if (futileReplies >= MAX_FUTILE_REPLIES) {
        futileReplies = 0;
        sequence.onFutileCatchUps();
      } else if (!next.isSet) next.set(backoff.nextMs(), () => void request());
    },
    close: next.clear
  };
}

// packages/dashboard/src/edits/edits.ts
function createEdits({ screen, timings, onEdited, onChange }) {
  const expiries = /* @__PURE__ */ new Set();
  let isClosed = false;
  function report(id) {
    if (isClosed) return;
    onEdited(id);
    onChange();
  }
  function expireLater(id, edit2) {
    if (isClosed || edit2.hasEnded) return;
    const expiry = createAlarm();
    expiries.add(expiry);
    expiry.set(timings.confirmMs, () => {
      expiries.delete(expiry);
      edit2.expire();
      if (edit2.hasEnded) report(id);
      else onChange();
    });
  }
  async function edit(id, patch, commit) {
    const begun = screen.beginEdit(id, patch);
    report(id);
    let result;
    try {
      result = await commit();
    } catch (error) {
      begun.rollBack();
      report(id);
      throw error;
    }
    begun.commit();
    expireLater(id, begun);
    if (!isClosed) onChange();
    return result;
  }
  return {
    edit,
    close() {
      isClosed = true;
      for (const expiry of expiries) expiry.clear();
      expiries.clear();
    }
  };
}

// packages/dashboard/src/connection.ts
import { io } from "socket.io-client";
function openConnection({ origin, basePath, socketOptions }, auth, handshakeMs, events) {
  const socket = io(`${origin}${DASHBOARD_NAMESPACE}`, {
    path: `${basePath}/socket.io`,
    ...socketOptions,
    auth,
    forceNew: true,
    reconnection: false,
    autoConnect: true
  });
  const handshakeTimer = setTimeout(() => {
    end(new Error("the server did not finish the handshake"), "lost");
  }, handshakeMs);
  function drop() {
    clearTimeout(handshakeTimer);
    socket.removeAllListeners();
    socket.disconnect();
  }
  function end(reason, cause) {
    drop();
    events.onEnd(reason, cause);
  }
  socket.on("connect", () => {
    clearTimeout(handshakeTimer);
    events.onConnect();
  });
  socket.on("connect_error", (error) => {
    end(error, isRefusal(error) ? "refused" : "lost");
  });
  socket.on("disconnect", (reason) => {
    end(new Error(`disconnected: ${reason}`), reason === "io server disconnect" ? "server" : "lost");
  });
  socket.on(POSITION_EVENT, events.onPosition);
  socket.on(PASSED_EVENT, events.onPassed);
  socket.on(ALIVE_EVENT, events.onAlive);
  for (const event of APPOINTMENT_EVENTS) {
    socket.on(event, (payload, meta) => {
      events.onEvent({ payload, meta });
    });
  }
  return {
    catchUp: (from, timeoutMs) => socket.timeout(timeoutMs).emitWithAck(CATCH_UP_EVENT, from),
    renewToken: (token, timeoutMs) => socket.timeout(timeoutMs).emitWithAck(TOKEN_EVENT, { token }),
    acknowledge: (seen) => void socket.volatile.emit(SEEN_EVENT, seen),
    drop
  };
}
var REFUSAL_CODES = ["TOKEN_INVALID", "SCOPE_INVALID"];
function isRefusal(error) {
  const { data } = error;
  return "data" in error && REFUSAL_CODES.includes(data?.code ?? "TOKEN_INVALID");
}

// packages/dashboard/src/session.ts
function openSession(deps, token, { onEnd, onLaterToken }) {
  const { options, address, timings, tokens, sequence, liveness, onChange, onOtherScope } = deps;
  const firstReply = createAlarm();
  let currentToken = token;
  const renewal = createRenewal(deps, {
    connection: () => connection,
    onRenewed(renewed) {
      currentToken = renewed;
    },
    onLaterToken
  });
  const position = sequence.position && { ...sequence.position };
  let connectedAt;
  const connection = openConnection(
    { ...address, socketOptions: options.socketOptions },
    { token, positions: true, ...position && { position } },
    timings.handshakeMs,
    {
      ...messageEvents(deps),
      onConnect() {
        connectedAt = performance.now();
        if (tokens.accept(token)) onOtherScope();
        sequence.onConnect(position);
        liveness.onConnect();
        firstReply.set(timings.answerMs, () => {
          if (!sequence.joined) sequence.onNoReply();
          onChange();
        });
        renewal.plan();
        onChange();
      },
      onEnd(reason, cause) {
        if (cause !== "lost") tokens.refuse(currentToken);
        if (cause === "server") liveness.onServerDisconnect();
        onEnd(reason, connectedAt !== void 0 && performance.now() - connectedAt >= timings.steadyMs);
      }
    }
  );
  return {
    connection,
    end() {
      connection.drop();
      firstReply.clear();
      renewal.end();
      sequence.onDisconnect();
      liveness.onDisconnect();
    }
  };
}
function messageEvents({
  sequence,
  liveness,
  onChange,
  onReceived,
  onIgnored,
  onOtherScope
}) {
  return {
    onEvent(given) {
      const event = parseEvent(given);
      if (event) {
        onReceived?.(event);
        sequence.onEvent(event);
      } else onIgnored();
      onChange();
    },
    onPosition(given) {
      const update = parsePosition(given);
      if (update) {
        liveness.onPosition();
        if (update.reason === "scope") onOtherScope();
        else sequence.onPosition(update);
      } else {
        sequence.onNoReply();
      }
      onChange();
    },
    onPassed(given) {
      const passed = parsePassed(given);
      if (passed === void 0) return;
      liveness.onPosition();
      sequence.onPassed(passed);
      onChange();
    },
    onAlive(alive) {
      liveness.onAlive(alive);
      onChange();
    }
  };
}
var MAX_TOKEN_REPLY_MS = 5e3;
var TOKEN_REPLY_SHARE = 0.05;
function createRenewal({ timings, tokens, random, onProblem }, { connection, onRenewed, onLaterToken }) {
  const alarm = createAlarm();
  let hasEnded = false;
  let replyMs = MAX_TOKEN_REPLY_MS;
  function plan() {
    const delayMs = tokens.renewalDelayMs();
    if (delayMs === void 0 || hasEnded) return;
    replyMs = Math.min(MAX_TOKEN_REPLY_MS, timings.answerMs, delayMs * TOKEN_REPLY_SHARE);
    alarm.set(delayMs * (0.95 + 0.05 * random()), () => void renew());
  }
  async function renew() {
    let isLater = false;
    try {
      isLater = await tokens.renew();
    } catch (error) {
      onProblem(error);
    }
    const isTakenOver = !isLater || hasEnded || await sendToken();
    if (hasEnded) return;
    if (isTakenOver) plan();
    else onLaterToken();
  }
  async function sendToken() {
    try {
      const token = await tokens.current();
      if (!isTokenAccepted(await connection().renewToken(token, replyMs))) return false;
      tokens.accept(token);
      onRenewed(token);
      return true;
    } catch {
      return false;
    }
  }
  return {
    plan,
    end() {
      hasEnded = true;
      alarm.clear();
    }
  };
}

// packages/dashboard/src/link.ts
function createLink(deps) {
  const { random, tokens, onChange, onProblem } = deps;
  const { reconnectMs, longestReconnectMs } = deps.timings;
  const backoff = createBackoff({ firstMs: reconnectMs, longestMs: longestReconnectMs, random });
  const retry = createAlarm();
  let session;
  let isOpened = false;
  let isClosed = false;
  async function open() {
    try {
      const token = await tokens.current();
      if (!isClosed) session = openSession(deps, token, { onEnd, onLaterToken: replaceSession });
    } catch (error) {
      onProblem(error);
      scheduleRetry();
    }
  }
  function scheduleRetry() {
    if (!isClosed) retry.set(backoff.nextMs(), () => void open());
  }
  function endSession() {
    const ended = session;
    session = void 0;
    ended?.end();
    onChange();
  }
  function onEnd(reason, wasSteady) {
    if (wasSteady) backoff.reset();
    endSession();
    onProblem(reason);
    scheduleRetry();
  }
  function replaceSession() {
    endSession();
    void open();
  }
  return {
    /** Opens the first session. Later calls have no effect. */
    open() {
      if (isOpened) return;
      isOpened = true;
      void open();
    },
    get connection() {
      return session?.connection;
    },
    close() {
      isClosed = true;
      retry.clear();
      endSession();
    }
  };
}

// packages/dashboard/src/liveness.ts
function createLiveness({ silenceMs, now = Date.now, onSilent }) {
  const silence = createAlarm();
  let reads = true;
  let isSilent = false;
  let wasDisconnected = false;
  let receivedAt = now();
  function onSignOfLife() {
    receivedAt = now();
    isSilent = false;
    silence.set(silenceMs, () => {
      isSilent = true;
      onSilent();
    });
  }
  return {
    /** True if changes may not arrive: no position or heartbeat for too long, or the server cannot read MongoDB. */
    get isStale() {
      return isSilent || !reads;
    },
    /** Time up to which the screen is known to be complete, in ms since 1970. Meaningful only when it is no longer live. */
    get lastLiveAt() {
      return isSilent || !silence.isSet ? receivedAt : now();
    },
    /** True from the time when the server ended a connection until the next connection. */
    get wasDisconnected() {
      return wasDisconnected;
    },
    onConnect() {
      reads = true;
      wasDisconnected = false;
      onSignOfLife();
    },
    onPosition: onSignOfLife,
    onAlive(alive) {
      reads = alive?.reads !== false;
      onSignOfLife();
    },
    onServerDisconnect() {
      wasDisconnected = true;
    },
    onDisconnect() {
      silence.clear();
      isSilent = false;
    }
  };
}

// packages/dashboard/src/options.ts
var DEFAULT_TIMINGS = {
  reconnectMs: 1e3,
  longestReconnectMs: 1e4,
  steadyMs: 5e3,
  handshakeMs: 2e4,
  answerMs: 15e3,
  tokenMs: 6e4,
  listMs: 6e4,
  silenceMs: 25e3,
  catchUpMs: 300,
  longestCatchUpMs: 1e4,
  reloadMs: 1e3,
  longestReloadMs: 3e4,
  confirmMs: 1e4
};

// packages/dashboard/src/reload.ts
var NO_LOAD = "cannot reload: neither loadSnapshot nor a load function was given";
function createReload(deps) {
  const { load, timings, random, sequence, screen, onListed, onProblem } = deps;
  const backoff = createBackoff({ firstMs: timings.reloadMs, longestMs: timings.longestReloadMs, random });
  const next = createAlarm();
  const timeout = createAlarm();
  const requests = createRequestQueue();
  let isLoaded = false;
  let closed = false;
  async function run(loadNow) {
    const loaded = await requestList(deps, loadNow, timeout);
    if (closed) return;
    showList(deps, loaded);
    isLoaded = true;
    onListed();
  }
  function reload(loadNow = load) {
    if (loadNow === void 0) return Promise.reject(new Error(NO_LOAD));
    return requests.add(() => run(loadNow)).then(check);
  }
  const isNeeded = () => !isLoaded || sequence.reloadReason !== void 0 || screen.needsList;
  function schedule(firstMs) {
    next.set(firstMs ?? backoff.nextMs(), () => {
      if (!isNeeded()) return;
      reload().catch((error) => {
        if (closed) return;
        onProblem(error);
        schedule();
      });
    });
  }
  function check() {
    if (sequence.state === "live") backoff.reset();
    if (load === void 0 || !isNeeded() || requests.pending > 0 || next.isSet || closed) return;
    schedule(sequence.reloadReason === "scope" ? 0 : void 0);
  }
  return {
    reload,
    /** Loads the first list immediately, and retries until it succeeds. */
    start() {
      schedule(0);
    },
    /** Must be called after every change. */
    check,
    close() {
      closed = true;
      next.clear();
      timeout.clear();
    }
  };
}
function createRequestQueue() {
  let last = Promise.resolve();
  let pending = 0;
  return {
    get pending() {
      return pending;
    },
    add(request) {
      pending += 1;
      const current = last.then(request).finally(() => {
        pending -= 1;
      });
      last = current.catch(() => void 0);
      return current;
    }
  };
}
async function requestList({ timings, tokens, sequence, screen }, load, timeout) {
  const token = await tokens.current();
  sequence.onListRequest();
  screen.onListRequest();
  return { token, list: await inTime(loadWithToken(load, token, tokens), timeout, timings.listMs) };
}
function showList({ tokens, sequence, onOtherScope }, { token, list }) {
  if (tokens.accept(token)) onOtherScope(true);
  if (!sequence.applyList(list)) throw new Error("the list may be older than the screen");
}
async function loadWithToken(load, token, tokens) {
  try {
    return parseList(await load(token));
  } catch (error) {
    const { status, code } = error ?? {};
    if (status === 401 || code === "SCOPE_INVALID") tokens.refuse(token);
    throw error;
  }
}
function inTime(list, timeout, limitMs) {
  const expired = new Promise((_, reject) => {
    timeout.set(limitMs, () => {
      reject(new Error(`the list was not loaded within ${limitMs / 1e3} s`));
    });
  });
  return Promise.race([list, expired]).finally(timeout.clear);
}

// packages/dashboard/src/screen.ts
function compareStamps(a, b) {
  return a.offset - b.offset || a.read - b.read;
}
function isAbove(candidate, shown) {
  return shown === void 0 || shown.epoch !== candidate.epoch || compareStamps(candidate, shown) > 0;
}
function createScreen(isNewer = isAbove) {
  let rows = /* @__PURE__ */ new Map();
  let deletions = /* @__PURE__ */ new Map();
  let floor;
  const stampOf = (id) => rows.get(id) ?? deletions.get(id) ?? floor;
  return {
    get rows() {
      return rows;
    },
    show(row) {
      const id = row.appointment._id;
      if (!isNewer(row, stampOf(id))) return false;
      rows.set(id, row);
      deletions.delete(id);
      return true;
    },
    remove(id, stamp) {
      if (!isNewer(stamp, stampOf(id))) return false;
      rows.delete(id);
      deletions.set(id, stamp);
      return true;
    },
    clear() {
      for (const [id, { epoch, offset, read }] of rows) deletions.set(id, { epoch, offset, read });
      rows = /* @__PURE__ */ new Map();
    },
    replace({ epoch, offset, appointments }) {
      floor = { epoch, offset, read: Infinity };
      const next = /* @__PURE__ */ new Map();
      for (const row of appointments) next.set(row.appointment._id, { epoch, ...row });
      const isNewerThanList = (id, stamp) => stamp.epoch === epoch && isNewer(stamp, next.get(id) ?? { epoch, offset, read: 0 });
      for (const [id, shown] of rows) if (isNewerThanList(id, shown)) next.set(id, shown);
      const deleted = [...deletions].filter(([id, stamp]) => isNewerThanList(id, stamp));
      for (const [id] of deleted) next.delete(id);
      deletions = new Map(deleted.filter(([, stamp]) => isNewer(stamp, floor)));
      rows = next;
    },
    distrustAbove({ epoch, offset }) {
      const isAfter = (stamp) => stamp.epoch === epoch && stamp.offset > offset;
      const lowest = { epoch, offset, read: 0 };
      for (const [id, shown] of rows) if (isAfter(shown)) rows.set(id, { ...shown, ...lowest });
      for (const [id, stamp] of deletions) if (isAfter(stamp)) deletions.set(id, lowest);
      if (floor && isAfter(floor)) floor = lowest;
    }
  };
}

// packages/dashboard/src/reorder-buffer.ts
function hasSnapshot(event) {
  return event.meta.event !== APPOINTMENT_DELETED;
}
function isLive({ meta }) {
  return meta.read === 0;
}
function createReorderBuffer() {
  let events = [];
  function drain() {
    const drained = events.sort((a, b) => compareStamps(a.meta, b.meta));
    events = [];
    return drained;
  }
  return {
    drain,
    get size() {
      return events.length;
    },
    get hasReplays() {
      return events.some((event) => !isLive(event));
    },
    push(event) {
      events.push(event);
    },
    /**
     * Removes and returns the events up to the first gap after a position, in order.
     * @param settled true if no catch-up reply is outstanding. Then replays are returned, and events of other epochs are dropped;
     *   otherwise both stay in the buffer
     */
    release({ epoch, offset: from }, settled) {
      let reached = from;
      const kept = [];
      const released = [];
      for (const event of drain()) {
        const { offset } = event.meta;
        if (event.meta.epoch !== epoch) {
          if (!settled) kept.push(event);
        } else if (isLive(event) ? offset > reached + 1 : !settled) kept.push(event);
        else {
          if (isLive(event)) reached = Math.max(reached, offset);
          released.push(event);
        }
      }
      events = kept;
      return released;
    },
    dropLiveAbove({ epoch, offset }) {
      events = events.filter(
        (event) => !isLive(event) || event.meta.epoch !== epoch || event.meta.offset <= offset
      );
    },
    /** The highest live offset of an epoch in the buffer, or 0. */
    highestOffset(epoch) {
      return events.reduce(
        (highest, event) => isLive(event) && event.meta.epoch === epoch ? Math.max(highest, event.meta.offset) : highest,
        0
      );
    }
  };
}

// packages/dashboard/src/sequence.ts
var Sequence = class {
  screen;
  onShown;
  maxBuffered;
  buffer = createReorderBuffer();
  isConnected = false;
  hasJoined = false;
  /** The position sent with the handshake. */
  joinedFrom;
  /** The end of the run. */
  reached;
  runStart = 0;
  /** The highest known offset in the epoch of `reached`. */
  head = 0;
  /** A head above the offset of the last list. */
  unconfirmedHead;
  /** The offset of `reached` when the last periodic position arrived. */
  reachedAtLastPosition = 0;
  /** True if `reached` may be obsolete. Only a catch-up reply can confirm it. */
  isUnconfirmed = false;
  reason;
  shownSinceListRequest = false;
  /** True if a list that was requested before now may contain appointments outside of the present scope. */
  hasOtherScopeSinceListRequest = false;
  constructor({ screen, onShown, maxBuffered = 1e4 }) {
    this.screen = screen;
    this.onShown = onShown;
    this.maxBuffered = maxBuffered;
  }
  /** The stream position up to which everything was received; undefined before the first position or list. */
  get position() {
    return this.reached;
  }
  /** Why the list must be reloaded; undefined if it need not be. */
  get reloadReason() {
    return this.reason;
  }
  /** True while a catch-up from `position` is needed. */
  get isBehind() {
    return this.hasJoined && this.reached !== void 0 && (this.isUnconfirmed || this.head > this.reached.offset);
  }
  /**
   * True if the server has sent a position, or failed to, since the connection began. Until then all events are buffered.
   */
  get joined() {
    return this.hasJoined;
  }
  get state() {
    if (!this.isConnected) return "connecting";
    if (this.reason !== void 0) return "reload-needed";
    return this.hasJoined && !this.isBehind ? "live" : "catching-up";
  }
  /** @param from the position that was sent with the handshake */
  onConnect(from) {
    this.isConnected = true;
    this.hasJoined = false;
    this.joinedFrom = from;
  }
  /** Drops buffered events: they come after `position`, so the next replay contains them. */
  onDisconnect() {
    this.isConnected = this.hasJoined = this.isUnconfirmed = false;
    this.buffer.drain();
    this.head = this.reached?.offset ?? 0;
  }
  onEvent(event) {
    const { epoch, offset } = event.meta;
    this.buffer.push(event);
    if (this.hasJoined && this.reached !== void 0) {
      if (epoch !== this.reached.epoch) this.isUnconfirmed = true;
      else if (isLive(event)) this.head = Math.max(this.head, offset);
      if (!this.isBehind || offset === this.reached.offset + 1) this.release(false);
      if (!this.isBehind) this.release(true);
    }
    if (this.buffer.size > this.maxBuffered) this.skipGap("too-many");
  }
  /** Handles `emissions:position`. The first one of a connection is the reply to the handshake; later ones reveal gaps. */
  onPosition(position) {
    if (this.reached === void 0) this.onReply(this.joinedFrom, position);
    else if (!this.hasJoined) {
      const isPeriodic = position.recovered && position.offset > this.reached.offset && !this.buffer.hasReplays;
      if (isPeriodic) this.onNoReply();
      else this.onReply(this.joinedFrom, position);
    } else if (position.epoch !== this.reached.epoch || !position.recovered) this.isUnconfirmed = true;
    else {
      this.head = Math.max(this.head, position.offset);
      if (position.offset < Math.min(this.reachedAtLastPosition, this.reached.offset))
        this.isUnconfirmed = true;
      this.reachedAtLastPosition = this.reached.offset;
    }
  }
  /**
   * Handles `emissions:passed`: everything up to this position was sent, or is not for this dashboard. The server sends it only after
   * the reply to the handshake, and only if it has missed nothing itself.
   */
  onPassed({ epoch, offset }) {
    if (!this.hasJoined || this.reached === void 0) return;
    if (epoch !== this.reached.epoch) this.isUnconfirmed = true;
    else {
      this.advance(offset);
      this.release(!this.isBehind);
    }
  }
  /** The token has another scope. Buffered events may be outside of it; the list contains what is inside. */
  onOtherScope(isListCurrent) {
    this.buffer.drain();
    this.reason = "scope";
    if (!isListCurrent) this.hasOtherScopeSinceListRequest = true;
  }
  /** Handles the acknowledgement of a catch-up that was requested from `from`, or the reply to a handshake with it. */
  onReply(from, position) {
    if (!position.recovered && isTemporary(position.reason)) {
      this.onNoReply();
      return;
    }
    this.hasJoined = true;
    if (this.reached !== void 0 && (from?.epoch !== this.reached.epoch || from.offset > this.reached.offset)) {
      this.isUnconfirmed = true;
      return;
    }
    this.isUnconfirmed = false;
    if (from?.epoch === position.epoch && position.offset < from.offset) {
      this.distrustAbove(position.offset, position.reason ?? "invalid");
      this.release(true);
      return;
    }
    if (this.reached?.epoch === position.epoch) {
      this.reached.offset = Math.max(this.reached.offset, position.offset);
      if (!position.recovered) this.runStart = this.reached.offset;
    } else {
      if (this.reached !== void 0) this.reason = "epoch";
      this.startRun(position);
    }
    if (!position.recovered) this.reason = position.reason ?? "gone";
    const { epoch, offset } = this.reached ?? position;
    this.head = Math.max(this.head, offset, this.buffer.highestOffset(epoch));
    this.release(true);
  }
  /** The server has not replied in time to the handshake or to a catch-up. */
  onNoReply() {
    if (!this.isConnected || this.reached === void 0) return;
    this.hasJoined = true;
    this.isUnconfirmed = true;
  }
  /**
   * Handles catch-up replies that leave the gap open. The first time the list may contain what is missing. If the head
   * is not confirmed by that list either, it is wrong.
   */
  onFutileCatchUps() {
    if (this.reached === void 0 || this.head !== this.unconfirmedHead) this.skipGap("unavailable");
    else this.distrustAbove(this.reached.offset, "unavailable");
  }
  /**
   * Continues at `offset`, because the server does not confirm any higher offset of this epoch. Offsets of an epoch never
   * decrease, so the higher ones were never the server's. The reloaded list replaces what was shown with them.
   */
  distrustAbove(offset, reason) {
    if (this.reached === void 0) return;
    const { epoch } = this.reached;
    this.startRun({ epoch, offset });
    this.isUnconfirmed = false;
    this.reason = reason;
    this.buffer.dropLiveAbove({ epoch, offset });
    this.screen.distrustAbove({ epoch, offset });
  }
  /** Gives up on the gap: shows all buffered events, continues after them and demands a reload. */
  skipGap(reason) {
    this.reason = reason;
    if (this.reached === void 0) {
      this.buffer.drain();
      return;
    }
    const { epoch } = this.reached;
    const offset = Math.max(this.reached.offset, this.head, this.buffer.highestOffset(epoch));
    this.startRun({ epoch, offset });
    this.isUnconfirmed = false;
    this.release(true);
  }
  /** Must be called before each request for a list, so that `applyList` can detect events shown in the meantime. */
  onListRequest() {
    this.shownSinceListRequest = this.hasOtherScopeSinceListRequest = false;
  }
  /** Shows a list. Returns false if the list may be older than the screen or its scope, and must be loaded again. */
  applyList(list) {
    if (this.hasOtherScopeSinceListRequest) return false;
    const isOtherEpoch = this.reached !== void 0 && list.epoch !== this.reached.epoch;
    if (isOtherEpoch && this.shownSinceListRequest) {
      this.reason ??= "epoch";
      this.isUnconfirmed = this.hasJoined;
      return false;
    }
    this.screen.replace(list);
    this.reason = void 0;
    if (this.reached?.epoch === list.epoch && list.offset >= this.runStart) {
      this.advance(list.offset);
    } else {
      const knownHead = this.reached?.epoch === list.epoch ? this.head : void 0;
      this.startRun(list);
      if (knownHead === void 0) this.isUnconfirmed = this.hasJoined;
      else this.head = knownHead;
    }
    for (const row of list.appointments) this.head = Math.max(this.head, row.offset);
    this.unconfirmedHead = this.head > list.offset ? this.head : void 0;
    if (this.hasJoined) this.release(!this.isBehind);
    return true;
  }
  startRun({ epoch, offset }) {
    this.reached = { epoch, offset };
    this.runStart = this.head = offset;
    this.unconfirmedHead = void 0;
    this.reachedAtLastPosition = 0;
  }
  /** Everything up to `offset` was received, or is not for this dashboard. */
  advance(offset) {
    if (this.reached) this.reached.offset = Math.max(this.reached.offset, offset);
    this.head = Math.max(this.head, offset);
  }
  /** Shows buffered events up to the first gap. @param settled see the buffer's `release` */
  release(settled) {
    if (this.reached === void 0) return;
    for (const event of this.buffer.release(this.reached, settled)) {
      if (isLive(event)) this.reached.offset = Math.max(this.reached.offset, event.meta.offset);
      else this.head = Math.max(this.head, event.meta.offset);
      this.show(event);
    }
  }
  show(event) {
    const { epoch, offset, read } = event.meta;
    const stamp = { epoch, offset, read };
    const isNewer = hasSnapshot(event) ? this.screen.show({ appointment: event.payload.appointment, ...stamp }) : this.screen.remove(event.payload.appointment._id, stamp);
    if (!isNewer) return;
    this.shownSinceListRequest = true;
    this.onShown(event);
  }
};
function isTemporary(reason) {
  return reason === "unavailable" || reason === "rate-limited";
}

// packages/dashboard/src/token-lifetime.ts
var MARGIN_MS = 6e4;
var MARGIN_SHARE = 0.1;
var MIN_LEFT_MS = 2e3;
var MIN_UNSURE_RENEWAL_MS = 3e4;
var MAX_TIMER_MS = 2 ** 31 - 1;
function readLifetime(token) {
  const { exp, iat } = readClaims(token) ?? {};
  if (typeof exp !== "number") return void 0;
  return { issuedAt: typeof iat === "number" ? iat * 1e3 : void 0, expiresAt: exp * 1e3 };
}
var OWN_CLAIMS = ["exp", "iat", "nbf", "jti"];
function comparableClaims(token) {
  const claims = Object.entries(readClaims(token) ?? {}).filter(([name]) => !OWN_CLAIMS.includes(name));
  return JSON.stringify(claims.sort(([a], [b]) => a < b ? -1 : 1));
}
function readClaims(token) {
  const payload = token.split(".")[1];
  if (payload === void 0) return void 0;
  try {
    const claims = JSON.parse(atob(payload.replaceAll("-", "+").replaceAll("_", "/")));
    return typeof claims === "object" && claims !== null ? claims : void 0;
  } catch {
    return void 0;
  }
}
function renewalDelayMs({ issuedAt, expiresAt }, now) {
  const leftMs = expiresAt - now;
  if (leftMs < MIN_LEFT_MS) return void 0;
  const lifetimeMs = issuedAt === void 0 ? leftMs : Math.max(expiresAt - issuedAt, 0);
  const marginMs = Math.min(MARGIN_MS, lifetimeMs * MARGIN_SHARE);
  return Math.min(leftMs > marginMs ? leftMs - marginMs : leftMs / 2, MAX_TIMER_MS);
}
function expiryOf(token, receivedAt, now) {
  const lifetime = readLifetime(token);
  if (lifetime === void 0) return Infinity;
  const lifetimeMs = lifetime.expiresAt - (lifetime.issuedAt ?? now());
  const isKnown = lifetime.issuedAt !== void 0 || lifetimeMs > 0;
  return isKnown ? receivedAt + lifetimeMs : Infinity;
}
function timeToRenewal(token, endsAt, elapsed) {
  const lifetime = readLifetime(token);
  if (lifetime === void 0 || endsAt === Infinity) return void 0;
  const delayMs = renewalDelayMs(lifetime, lifetime.expiresAt - (endsAt - elapsed));
  if (delayMs === void 0 || lifetime.issuedAt !== void 0) return delayMs;
  return Math.max(delayMs, MIN_UNSURE_RENEWAL_MS);
}

// packages/dashboard/src/tokens.ts
var REFUSALS_WITHOUT_PAUSE = 2;
var MAX_PAUSE_FACTOR = 64;
function createTokens(deps) {
  const { firstPauseMs, elapsed = () => performance.now(), now = Date.now } = deps;
  let cached;
  let acceptedClaims;
  let refusedInARow = 0;
  let pausedUntil = -Infinity;
  const requests = createRequests(deps, (token) => ({
    token,
    endsAt: expiryOf(token, elapsed(), now),
    isAccepted: false
  }));
  async function requestToken(minEndsAt) {
    const received = await requests.request(({ endsAt }) => endsAt > minEndsAt);
    return cached?.token === received.token ? cached : received;
  }
  return {
    async current() {
      if (cached && cached.endsAt > elapsed()) return cached.token;
      const waitMs = pausedUntil - elapsed();
      if (waitMs > 0) {
        throw new Error(
          `the server refused ${refusedInARow} tokens in a row; requesting the next in ${Math.ceil(waitMs / 1e3)} s. Check the tokens that getToken returns, and the clocks of the server and of the token issuer.`
        );
      }
      cached = await requestToken(elapsed());
      return cached.token;
    },
    async renew() {
      const before = cached;
      const later = await requestToken(before?.endsAt ?? elapsed());
      if (before && (later === before || later.endsAt <= before.endsAt)) return false;
      cached = later;
      return true;
    },
    accept(token) {
      refusedInARow = 0;
      if (cached?.token !== token) return false;
      cached.isAccepted = true;
      const before = acceptedClaims;
      acceptedClaims = comparableClaims(token);
      return before !== void 0 && before !== acceptedClaims;
    },
    refuse(token) {
      if (cached?.token !== token) return;
      if (!cached.isAccepted) refusedInARow += 1;
      cached = void 0;
      const pauses = refusedInARow - REFUSALS_WITHOUT_PAUSE;
      if (pauses > 0) pausedUntil = elapsed() + firstPauseMs * Math.min(2 ** (pauses - 1), MAX_PAUSE_FACTOR);
    },
    renewalDelayMs: () => cached && timeToRenewal(cached.token, cached.endsAt, elapsed()),
    close: requests.close
  };
}
function createRequests({ getToken, timeoutMs }, toReceived) {
  const timeout = createAlarm();
  let pending;
  let resolvePending;
  let isTokenMissing = false;
  let late;
  function onToken(token) {
    if (resolvePending) resolvePending(toReceived(token));
    else if (isTokenMissing) late = toReceived(token);
    isTokenMissing = false;
  }
  function call(resolve, reject) {
    resolvePending = resolve;
    timeout.set(timeoutMs, () => {
      isTokenMissing = true;
      reject(new Error(`getToken has not settled for ${timeoutMs / 1e3} s; it will be called again`));
    });
    Promise.resolve().then(getToken).then(requireText).then(onToken, reject);
  }
  return {
    /** @param isUsable decides whether a late token is the result; otherwise `getToken` is called */
    request(isUsable) {
      const received = late;
      late = void 0;
      if (received && isUsable(received)) return Promise.resolve(received);
      return pending ??= new Promise(call).finally(() => {
        pending = resolvePending = void 0;
        timeout.clear();
      });
    },
    close: timeout.clear
  };
}
function requireText(token) {
  if (typeof token === "string" && token.trim() !== "") return token.trim();
  throw new TypeError("getToken did not resolve to a token: it must resolve to a non-empty string");
}

// packages/dashboard/src/follow-log.ts
function followLog(deps) {
  const { options, screen, onProblem } = deps;
  const { loadSnapshot: load, random = Math.random } = options;
  const timings = { ...DEFAULT_TIMINGS, ...options.timings };
  const tokens = createTokens({
    getToken: options.getToken,
    timeoutMs: timings.tokenMs,
    firstPauseMs: timings.reconnectMs
  });
  const acknowledge = createAcknowledge(options, (seen) => link.connection?.acknowledge(seen));
  const sequence = createSequence(deps, acknowledge);
  const liveness = createLiveness({ silenceMs: timings.silenceMs, onSilent: onStep });
  const shared = { timings, random, tokens, sequence, onChange: onStep, onOtherScope, onProblem };
  const link = createLink({ ...deps, ...shared, liveness, onReceived: options.trace?.onReceived });
  const catchUp = createCatchUp({ ...shared, connection: () => link.connection });
  const edits = createEdits({ ...shared, screen, onEdited: deps.onEdited });
  const reloading = createReload({
    ...shared,
    load,
    screen,
    onListed() {
      deps.onListed();
      link.open();
      onStep();
    }
  });
  let isClosed = false;
  function onStep() {
    if (isClosed) return;
    catchUp.check();
    reloading.check();
    deps.onChange();
  }
  function onOtherScope(isListCurrent = false) {
    screen.clear();
    sequence.onOtherScope(isListCurrent);
    deps.onListed();
    onStep();
  }
  return {
    sequence,
    liveness,
    reload: reloading.reload,
    edit: edits.edit,
    start() {
      if (load) reloading.start();
      else link.open();
    },
    close() {
      isClosed = true;
      for (const part of [edits, reloading, catchUp, link, tokens]) part.close();
    }
  };
}
function createSequence({ options, screen, onShown }, acknowledge) {
  const show = options.trace?.show ?? ((_event, run) => {
    run();
  });
  return new Sequence({
    screen,
    onShown(event) {
      show(event, () => {
        onShown(event);
      });
      acknowledge(event.meta);
    }
  });
}
var MIN_INTERVAL_MS = 1e4;
var MAX_PAINT_MS = 2e3;
function createAcknowledge({ acknowledgeShare: share = 0.25, random = Math.random }, send) {
  let nextAt = -Infinity;
  return ({ emissionId, acceptedAt, replayed }) => {
    const shownAt = performance.now();
    if (replayed || share <= 0 || shownAt < nextAt || random() >= share) return;
    nextAt = shownAt + MIN_INTERVAL_MS;
    afterPaint(() => {
      if (performance.now() - shownAt <= MAX_PAINT_MS) send({ emissionId, acceptedAt });
    });
  };
}
function afterPaint(callback) {
  const { requestAnimationFrame, document } = globalThis;
  if (document?.hidden) return;
  if (requestAnimationFrame) requestAnimationFrame(() => setTimeout(callback));
  else setTimeout(callback);
}

// packages/dashboard/src/listeners.ts
function createListeners(report = throwUncaught) {
  const byName = /* @__PURE__ */ new Map();
  return {
    on(name, listener) {
      const listeners = byName.get(name) ?? /* @__PURE__ */ new Set();
      byName.set(name, listeners.add(listener));
      return () => {
        listeners.delete(listener);
      };
    },
    emit(name, ...args) {
      for (const listener of byName.get(name) ?? []) {
        try {
          listener(...args);
        } catch (error) {
          report(error);
        }
      }
    }
  };
}
function throwUncaught(error) {
  setTimeout(() => {
    throw error;
  });
}

// packages/dashboard/src/connect-dashboard.ts
function connectDashboard(options) {
  const address = checkOptions(options);
  const listeners = createListeners();
  const screen = createEditedScreen(createScreen(), options.loadSnapshot !== void 0);
  let ignored = 0;
  const follower = followLog({
    options,
    address,
    screen,
    ...emitScreenEvents(listeners, screen),
    onChange: () => {
      tracker.update();
    },
    onIgnored: () => {
      ignored += 1;
    },
    onProblem: (error) => {
      listeners.emit("problem", error);
    }
  });
  const tracker = trackState(follower, (...change) => {
    listeners.emit("state", ...change);
  });
  follower.start();
  const dashboard = {
    get state() {
      return tracker.state;
    },
    get notLiveSince() {
      return tracker.notLiveSince;
    },
    get position() {
      return follower.sequence.position;
    },
    get appointments() {
      return screen.rows;
    },
    get ignored() {
      return ignored;
    },
    on: listeners.on,
    reload: follower.reload,
    edit: follower.edit,
    close() {
      if (tracker.state === "closed") return;
      tracker.close();
      follower.close();
    }
  };
  return dashboard;
}
function checkOptions(options) {
  if (typeof options.getToken !== "function") {
    throw new TypeError("getToken is missing: give a function that resolves to a token");
  }
  return readApiAddress(options);
}
function emitScreenEvents({ emit }, screen) {
  return {
    onShown(event) {
      const { meta, payload } = event;
      const shown = screen.rows.get(payload.appointment._id);
      if (!hasSnapshot(event)) emit(APPOINTMENT_DELETED, event.payload, meta);
      else if (shown) emit(meta.event, { ...payload, appointment: shown.appointment }, meta);
    },
    onListed() {
      emit("appointments", screen.rows);
    },
    onEdited(id) {
      const shown = screen.rows.get(id);
      if (shown) emit("edited", { appointment: shown.appointment });
    }
  };
}
function trackState({ sequence, liveness }, onState) {
  let state = "connecting";
  let reason;
  let notLiveSince;
  function set(next) {
    if (next === state && sequence.reloadReason === reason) return;
    if (next === "live") notLiveSince = void 0;
    else if (state === "live") notLiveSince = new Date(liveness.lastLiveAt);
    state = next;
    reason = sequence.reloadReason;
    onState(state, reason, notLiveSince);
  }
  function current() {
    if (sequence.state === "connecting" && liveness.wasDisconnected) return "disconnected";
    return sequence.state === "live" && liveness.isStale ? "stale" : sequence.state;
  }
  return {
    get state() {
      return state;
    },
    get notLiveSince() {
      return notLiveSince;
    },
    update() {
      set(current());
    },
    close() {
      set("closed");
    }
  };
}

// packages/dashboard/src/fetch-appointments.ts
var TIMEOUT_MS = 2e4;
var ListError = class extends Error {
  name = "ListError";
  /** HTTP status of the reply. */
  status;
  /** Error code of the reply; undefined if the reply is not the API's, for example a proxy's. */
  code;
  constructor(status, problem) {
    super(problem.detail ?? `the list request failed with status ${status}`);
    this.status = status;
    this.code = problem.code;
  }
};
async function fetchAppointments({
  token,
  from,
  to,
  ...address
}) {
  const { origin, basePath } = readApiAddress(address);
  const route = new URL(`${origin}${basePath}/api/v1/dashboard/appointments`);
  route.searchParams.set("from", from.toISOString());
  route.searchParams.set("to", to.toISOString());
  const reply = await fetch(route, {
    headers: { authorization: `Bearer ${token}` },
    signal: AbortSignal.timeout(TIMEOUT_MS)
  });
  if (!reply.ok)
    throw new ListError(reply.status, await reply.json().catch(() => ({})));
  return await reply.json();
}
export {
  ListError,
  connectDashboard,
  fetchAppointments
};
