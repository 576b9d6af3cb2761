// packages/bot/src/realtime-appointments.ts
import { isNativeError as isNativeError5 } from "node:util/types";

// packages/contracts/src/events.ts
var SNAPSHOT_EVENTS = [
  "appointment:created",
  "appointment:updated",
  "appointment:canceled"
];
var [APPOINTMENT_CREATED, APPOINTMENT_UPDATED, APPOINTMENT_CANCELED] = SNAPSHOT_EVENTS;
var APPOINTMENT_DELETED = "appointment:deleted";
var APPOINTMENT_EVENTS = [...SNAPSHOT_EVENTS, APPOINTMENT_DELETED];
var EVENT_SLUGS = {
  "appointment-created": "appointment:created",
  "appointment-updated": "appointment:updated",
  "appointment-canceled": "appointment:canceled",
  "appointment-deleted": "appointment:deleted"
};
function isAppointmentEvent(value) {
  return APPOINTMENT_EVENTS.includes(value);
}

// packages/contracts/src/instant.ts
var FIRST_INSTANT = 0;
var LAST_INSTANT = Date.UTC(9999, 11, 31, 23, 59, 59, 999);
var ISO_8601 = /^(\d{4}-\d{2}-\d{2})(?:T(\d{2}:\d{2})(?::(\d{2})(?:\.(\d{1,9}))?)?(?:Z|([+-])(\d{2}):(\d{2})))?$/i;
var DATE = /^\d{4}-\d{2}-\d{2}$/;
var MINUTE_MS = 6e4;
function parseInstant(text2) {
  const match = ISO_8601.exec(text2);
  if (match === null) return void 0;
  const [, date = "", time = "00:00", second = "00", fraction = "", sign, hours = "00", minutes = "00"] = match;
  if (Number(hours) > 23 || Number(minutes) > 59) return void 0;
  const asUtc = `${date}T${time}:${second}.${fraction.slice(0, 3).padEnd(3, "0")}Z`;
  const shown = Date.parse(asUtc);
  if (Number.isNaN(shown) || new Date(shown).toISOString() !== asUtc) return void 0;
  const offset = (Number(hours) * 60 + Number(minutes)) * MINUTE_MS;
  const instant = sign === "-" ? shown + offset : shown - offset;
  return instant >= FIRST_INSTANT && instant <= LAST_INSTANT ? instant : void 0;
}
function isCalendarDate(text2) {
  return DATE.test(text2) && parseInstant(text2) !== void 0;
}

// packages/contracts/src/names.ts
var INTERNAL_NAMESPACE = "/internal";
var TRACEPARENT = /^(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}$/;
var OBJECT_ID = /^[0-9a-f]{24}$/i;

// packages/contracts/src/text.ts
var DIRECTION_MARKS = "\\u061c\\u200e\\u200f\\u202a-\\u202e\\u2066-\\u2069";
var LINE_BREAKS_AND_CONTROLS = "\\u0000-\\u001f\\u007f-\\u009f\\u2028\\u2029";
var MARK = new RegExp(`[${DIRECTION_MARKS}]`, "g");
var CONTROL = new RegExp(`[${LINE_BREAKS_AND_CONTROLS}]+`, "g");
var MARK_OR_CONTROL = new RegExp(`[\\u007f-\\u009f\\u2028\\u2029${DIRECTION_MARKS}]`, "g");
var LONE_SURROGATE = /\p{Surrogate}/gu;
function wellFormed(text2) {
  return text2.replace(LONE_SURROGATE, "\uFFFD");
}
function cut(text2, max) {
  let units = 0;
  for (let count = 0; count < max && units < text2.length; count += 1) {
    units += (text2.codePointAt(units) ?? 0) > 65535 ? 2 : 1;
  }
  if (units === text2.length) return wellFormed(text2);
  const characters = new Intl.Segmenter(void 0, { granularity: "grapheme" });
  const start2 = characters.segment(text2.slice(0, units + 2)).containing(units)?.index ?? units;
  return wellFormed(text2.slice(0, start2 > 0 ? start2 : units));
}
function escapeMarks(json) {
  return json.replace(MARK_OR_CONTROL, (mark) => `\\u${mark.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

// packages/contracts/src/tracing.ts
var SPAN_KINDS = { internal: 0, server: 1, client: 2, producer: 3, consumer: 4 };
var STATUS_ERROR = 2;
var SAMPLED = 1;
function createTracing(api, library) {
  if (!hasSdk(api, library)) return void 0;
  const { trace, context } = api;
  const tracer = trace.getTracer(library);
  function startSpan(name, { kind, parent, links = [], attributes, startTime }) {
    const remote = parseTraceparent(parent);
    const inherited = parent === null ? api.ROOT_CONTEXT : context.active();
    const options = {
      kind: SPAN_KINDS[kind],
      links: links.map(parseTraceparent).flatMap((linked) => linked ? { context: linked } : []),
      ...attributes && { attributes },
      ...startTime !== void 0 && { startTime }
    };
    return tracer.startSpan(
      name,
      options,
      remote ? trace.setSpanContext(api.ROOT_CONTEXT, remote) : inherited
    );
  }
  return {
    active: () => formatTraceparent(trace.getSpanContext(context.active())),
    start(name, options) {
      const span = orUndefined(() => startSpan(name, options));
      return {
        traceparent: formatTraceparent(span?.spanContext()) ?? options.parent ?? void 0,
        isRecording: span?.isRecording() ?? false,
        run: (run) => span ? context.with(trace.setSpan(context.active(), span), run) : run(),
        end(more, endTime) {
          if (more) span?.setAttributes(more);
          orUndefined(() => span?.end(endTime));
        },
        fail(reason, more) {
          if (more) span?.setAttributes(more);
          span?.setStatus({ code: STATUS_ERROR, message: reason });
          orUndefined(() => span?.end());
        }
      };
    }
  };
}
function orUndefined(call) {
  try {
    return call();
  } catch {
    return void 0;
  }
}
function hasSdk({ trace }, library) {
  const provider = trace.getTracerProvider();
  return provider.getDelegateTracer === void 0 || provider.getDelegateTracer(library) !== void 0;
}
function parseTraceparent(given) {
  if (typeof given !== "string" || !TRACEPARENT.test(given)) return void 0;
  const [, traceId = "", spanId = "", flags = ""] = given.split("-");
  return { traceId, spanId, traceFlags: Number.parseInt(flags, 16) & SAMPLED, isRemote: true };
}
function formatTraceparent(context) {
  if (!context) return void 0;
  const text2 = `00-${context.traceId}-${context.spanId}-0${context.traceFlags & SAMPLED}`;
  return TRACEPARENT.test(text2) ? text2 : void 0;
}
function traceFields(traceparent) {
  const context = parseTraceparent(traceparent);
  return context ? { trace_id: context.traceId, span_id: context.spanId } : {};
}
function emissionAttributes(emission) {
  return {
    "emission.event": emission.event,
    "emission.id": idOrNothing(EMISSION_ID, emission.emissionId),
    "emission.appointment_id": idOrNothing(OBJECT_ID, emission.appointmentId),
    "emission.company_id": idOrNothing(OBJECT_ID, emission.companyId)
  };
}
var EMISSION_ID = /^[\w.:-]{1,200}$/;
function idOrNothing(pattern, id) {
  return typeof id === "string" && pattern.test(id) ? id : void 0;
}

// packages/bot/src/deadline.ts
import { setMaxListeners } from "node:events";
function startDeadline(afterMs, parent) {
  const controller = new AbortController();
  setMaxListeners(0, controller.signal);
  const endsAt = performance.now() + afterMs;
  const abort = () => {
    controller.abort();
  };
  const timer = setTimeout(abort, afterMs);
  if (parent?.aborted) abort();
  parent?.addEventListener("abort", abort, { once: true });
  return {
    signal: controller.signal,
    leftMs: () => controller.signal.aborted ? 0 : Math.max(0, endsAt - performance.now()),
    end() {
      clearTimeout(timer);
      parent?.removeEventListener("abort", abort);
      controller.abort();
    }
  };
}
function pause(ms, signal) {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      signal.removeEventListener("abort", done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal.addEventListener("abort", done);
  });
}
async function untilAborted(work, signal) {
  let stop;
  const aborted = new Promise((resolve) => {
    stop = () => {
      resolve(void 0);
    };
    if (signal.aborted) stop();
    else signal.addEventListener("abort", stop);
  });
  try {
    return await Promise.race([work, aborted]);
  } finally {
    if (stop) signal.removeEventListener("abort", stop);
  }
}

// packages/bot/src/attempt.ts
async function attempt({ breaker, send, classify, limitMs, signal }) {
  const pass = breaker.enter();
  if (pass === void 0) return { outcome: "not-tried" };
  const limit = startDeadline(limitMs, signal);
  let result;
  try {
    const answer = await untilAborted(send(limit.signal), limit.signal);
    result = answer === void 0 ? timedOut(limitMs) : classify(answer);
  } catch (error) {
    result = limit.signal.aborted ? timedOut(limitMs) : { outcome: "unanswered", error, timedOut: false };
  } finally {
    limit.end();
  }
  if (result.outcome === "unavailable" || result.outcome === "unanswered") pass.failed();
  else pass.succeeded();
  return result;
}
function timedOut(limitMs) {
  const error = new Error(`no reply within ${Math.round(limitMs)} ms; it may have been accepted`);
  return { outcome: "unanswered", error, timedOut: true };
}

// packages/bot/src/batch.ts
var MAX_BATCH = 1e3;
var MAX_EMISSIONS = 1e5;
function readBatch(given) {
  const read = { emissions: [], problems: [] };
  try {
    if (!Array.isArray(given)) return addListProblem(read, "emissions must be an array");
    if (given.length > MAX_EMISSIONS) return addListProblem(read, `more than ${MAX_EMISSIONS} emissions`);
    for (let index = 0; index < given.length; index += 1) readItem(given, index, read);
  } catch {
    return addListProblem(read, "emissions could not be read");
  }
  return read;
}
function readEmission({
  event,
  appointmentId,
  companyId
}) {
  const appointment = readId("appointmentId", appointmentId);
  if ("problem" in appointment) return appointment;
  if (event !== APPOINTMENT_DELETED) return { event, appointmentId: appointment.id };
  const company = readId("companyId", companyId);
  if ("problem" in company) return company;
  return { event, appointmentId: appointment.id, companyId: company.id };
}
function inBatches(emissions) {
  const batches = [];
  for (let at = 0; at < emissions.length; at += MAX_BATCH) batches.push(emissions.slice(at, at + MAX_BATCH));
  return batches;
}
function readItem(given, index, { emissions, problems }) {
  try {
    const { event, appointmentId, companyId } = Object(given[index]);
    if (!isAppointmentEvent(event)) {
      problems.push({ index, problem: "event is not an appointment event" });
      return;
    }
    const read = readEmission({ event, appointmentId, companyId });
    if ("problem" in read) problems.push({ index, problem: read.problem });
    else emissions.push(read);
  } catch {
    problems.push({ index, problem: "could not be read" });
  }
}
function addListProblem(read, problem) {
  return { emissions: read.emissions, problems: [...read.problems, { index: -1, problem }] };
}
function readId(name, given) {
  if (given === void 0 || given === null || given === "") return { problem: `no ${name} was given` };
  try {
    const id = String(idOf(given));
    if (OBJECT_ID.test(id)) return { id: id.toLowerCase() };
    return { problem: `${name} must be 24 hexadecimal characters, got ${describe(given)}` };
  } catch {
    return { problem: `${name} could not be read` };
  }
}
function idOf(given) {
  if (typeof given !== "object" || given === null || !("_id" in given)) return given;
  return given._id ?? given;
}
function describe(given) {
  return typeof given === "string" ? `a string of ${given.length}` : `a value of type ${typeof given}`;
}

// packages/bot/src/circuit-breaker.ts
function createCircuitBreaker({ failuresToOpen, coolDownMs }) {
  let failures = 0;
  let openUntil;
  let isProbing = false;
  const isReady = () => openUntil === void 0 || !isProbing && performance.now() >= openUntil;
  function open2() {
    openUntil = performance.now() + coolDownMs * (0.75 + Math.random() / 2);
  }
  return {
    isReady,
    enter() {
      if (!isReady()) return void 0;
      const isProbe = openUntil !== void 0;
      if (isProbe) isProbing = true;
      return {
        succeeded() {
          if (isProbe) isProbing = false;
          failures = 0;
          openUntil = void 0;
        },
        failed() {
          if (isProbe) isProbing = false;
          failures += 1;
          if (isProbe || openUntil === void 0 && failures >= failuresToOpen) open2();
        }
      };
    }
  };
}

// packages/bot/src/attempt-result.ts
var CONFLICT = 409;
var TOO_MANY_REQUESTS = 429;
function classifySingleReply(answer) {
  if (isSuccess(answer)) return { outcome: "accepted", answer };
  if (answer.status === CONFLICT || answer.status === TOO_MANY_REQUESTS)
    return { outcome: "postponed", answer };
  if (answer.status >= 300 && answer.status < 500) return { outcome: "refused", answer };
  return { outcome: "unavailable", answer };
}
function classifyBatchReply(answer) {
  const result = classifySingleReply(answer);
  if (result.outcome !== "accepted") return result;
  const rejected = rejectedItems(answer.body);
  if (rejected.length === 0) return result;
  const isTemporary = rejected.some(({ status }) => status >= 500 || status === TOO_MANY_REQUESTS);
  return { outcome: isTemporary ? "postponed" : "refused", answer };
}
function rejectedItems(body) {
  if (!isRecord(body) || !Array.isArray(body.results)) return [];
  return body.results.filter(
    (item) => isRecord(item) && typeof item.index === "number" && typeof item.status === "number" && item.status >= 300
  );
}
function isSuccess({ status, body }) {
  return status >= 200 && status < 300 && isRecord(body) && body.success === true;
}
function isRecord(value) {
  return typeof value === "object" && value !== null;
}

// packages/bot/src/deliver.ts
var MIN_ATTEMPT_MS = 20;
var SOCKET_WINDOW = 32;
function createDeliver(deps) {
  const { socket, socketBreaker, settings } = deps;
  const isSocketReady = () => (socket?.usable() ?? false) && socketBreaker.isReady();
  const reserveMs = () => isSocketReady() ? settings.deadlineMs / 4 : 0;
  return async function deliver(request, deadline) {
    const first = await deliverOverHttp(deps, request, deadline, reserveMs);
    if (!mayAnotherTransportHelp(first.result) || socket === void 0 || !isSocketReady()) return first;
    if (deadline.leftMs() < MIN_ATTEMPT_MS) return first;
    const result = await deliverOverSocket(socket, socketBreaker, request, deadline);
    const isBetter = result.outcome === "accepted" || first.result.outcome === "not-tried";
    return isBetter ? { result, via: "socket", attempts: first.attempts + 1 } : first;
  };
}
async function deliverOverHttp({ http: http2, httpBreaker, settings }, request, deadline, reserveMs) {
  let result = { outcome: "not-tried" };
  let attempts = 0;
  while (attempts < settings.maxAttempts) {
    const leftMs = deadline.leftMs() - reserveMs();
    if (leftMs < MIN_ATTEMPT_MS) break;
    const next = await attempt({
      breaker: httpBreaker,
      send: (signal) => http2.post(request, signal),
      classify: request.classify,
      limitMs: Math.min(leftMs, settings.attemptTimeoutMs),
      signal: deadline.signal
    });
    if (next.outcome === "not-tried") break;
    result = next;
    attempts += 1;
    if (result.outcome === "accepted" || result.outcome === "refused") break;
    if (attempts === settings.maxAttempts || !httpBreaker.isReady()) break;
    const waitMs = retryDelayMs(result, attempts, settings);
    if (waitMs >= deadline.leftMs()) break;
    await pause(waitMs, deadline.signal);
  }
  return { result, via: "http", attempts };
}
function retryDelayMs(result, attempts, settings) {
  const retryAfterMs = "answer" in result ? result.answer.retryAfterMs ?? 0 : 0;
  const boundMs = Math.min(settings.maxRetryDelayMs, settings.firstRetryDelayMs * 2 ** (attempts - 1));
  return retryAfterMs + Math.random() * boundMs;
}
async function deliverOverSocket(socket, breaker, request, deadline) {
  let last = { outcome: "not-tried" };
  for (const emissions of windows(request.socketRequests)) {
    const results = await Promise.all(
      emissions.map(
        (emission) => attempt({
          breaker,
          send: (signal) => socket.emit(emission, signal),
          classify: classifySingleReply,
          limitMs: deadline.leftMs(),
          signal: deadline.signal
        })
      )
    );
    last = results.find(({ outcome }) => outcome !== "accepted") ?? results[0] ?? last;
    if (last.outcome !== "accepted") break;
  }
  return last;
}
function windows(items) {
  const result = [items.slice(0, 1)];
  for (let at = 1; at < items.length; at += SOCKET_WINDOW) result.push(items.slice(at, at + SOCKET_WINDOW));
  return result;
}
function mayAnotherTransportHelp({ outcome }) {
  return outcome === "unavailable" || outcome === "unanswered" || outcome === "not-tried";
}

// packages/bot/src/http-transport.ts
import { once } from "node:events";
import http from "node:http";
import https from "node:https";
import { isNativeError } from "node:util/types";
var MAX_BODY_BYTES = 1e6;
function createHttpTransport({ backendUrl, apiKey }) {
  const secure = backendUrl.protocol === "https:";
  const { Agent, request } = secure ? https : http;
  const agent = new Agent({ keepAlive: true, maxSockets: 64, maxFreeSockets: 8 });
  const prefix = backendUrl.href.replace(/\/+$/, "");
  async function exchange(given, signal) {
    const { path: path3, body, idempotencyKey, traceparent } = given;
    const sent = request(`${prefix}${path3}`, {
      method: "POST",
      agent,
      signal,
      headers: {
        "content-type": "application/json",
        "content-length": Buffer.byteLength(body),
        accept: "application/json, application/problem+json",
        "x-api-key": apiKey,
        "idempotency-key": idempotencyKey,
        ...traceparent !== void 0 && { traceparent }
      }
    });
    sent.on("error", () => void 0);
    sent.end(body);
    const response = await firstResponse(sent);
    if (response === void 0) return exchange(given, signal);
    const text2 = await readText(response);
    return {
      status: response.statusCode ?? 0,
      body: parseJson(text2),
      text: text2,
      retryAfterMs: readRetryAfterMs(response.headers["retry-after"])
    };
  }
  return {
    post: exchange,
    close() {
      agent.destroy();
    }
  };
}
async function firstResponse(sent) {
  try {
    const [response] = await once(sent, "response");
    return response;
  } catch (error) {
    const isStale = sent.reusedSocket && isNativeError(error) && "code" in error && error.code === "ECONNRESET";
    if (isStale) return void 0;
    throw error;
  }
}
async function readText(response) {
  const chunks = [];
  let bytes = 0;
  for await (const chunk of response) {
    bytes += chunk.length;
    if (bytes > MAX_BODY_BYTES) throw new Error(`the reply is larger than ${MAX_BODY_BYTES} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}
function parseJson(text2) {
  try {
    return JSON.parse(text2);
  } catch {
    return void 0;
  }
}
function readRetryAfterMs(header) {
  if (header === void 0) return void 0;
  if (/^\d{1,9}$/.test(header)) return Number(header) * 1e3;
  const date = Date.parse(header);
  const isHttpDate = !Number.isNaN(date) && new Date(date).toUTCString() === header;
  return isHttpDate ? Math.max(0, date - Date.now()) : void 0;
}

// packages/bot/src/message-flow-file.ts
import path2 from "node:path";

// packages/bot/src/append-file.ts
import { randomUUID } from "node:crypto";
import {
  close,
  constants,
  fstat,
  mkdir,
  open,
  readdir,
  rename,
  stat,
  unlink,
  write
} from "node:fs";
import path from "node:path";
import { promisify } from "node:util";
var closeFile = promisify(close);
var mkdirOnce = promisify(mkdir);
var openFile = promisify(open);
var readFolder = promisify(readdir);
var renameFile = promisify(rename);
var statFile = promisify(fstat);
var statPath = promisify(stat);
var unlinkFile = promisify(unlink);
var writeFile = promisify(write);
var RETRY_ROTATION_MS = 3e4;
var FLAGS = constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT | constants.O_NONBLOCK;
function createFileAppender({
  file,
  rotation,
  reopenDelayMs,
  onFailure
}) {
  const rotate = createRotate(file, rotation);
  let fd;
  let reopenAt = 0;
  let [isFailing, isTorn] = [false, false];
  async function closeOpenFile() {
    const closing = fd;
    fd = void 0;
    if (closing !== void 0) await closeFile(closing).catch(() => void 0);
  }
  async function writeAll(bytes) {
    if (fd !== void 0) {
      const opened = await statFile(fd);
      if (!await isStillAt(opened, file) || await rotate(opened)) await closeOpenFile();
    }
    fd ??= await openWithFolder(file);
    if (isTorn) await writeFile(fd, "\n");
    isTorn = false;
    for (let from = 0; from < bytes.length; ) {
      from += (await writeFile(fd, bytes, from)).bytesWritten;
      isTorn = from < bytes.length;
    }
  }
  return {
    async append(bytes) {
      if (performance.now() < reopenAt) return false;
      try {
        await writeAll(bytes);
        isFailing = false;
        return true;
      } catch (error) {
        await closeOpenFile();
        reopenAt = performance.now() + reopenDelayMs;
        if (!isFailing) onFailure(error);
        isFailing = true;
        return false;
      }
    },
    close: closeOpenFile
  };
}
async function isStillAt(opened, file) {
  const found = await statPath(file).catch(() => void 0);
  return opened.ino === found?.ino && opened.dev === found.dev;
}
function createRotate(file, rotation) {
  let retryAt = 0;
  let isFailing = false;
  function report(error) {
    retryAt = performance.now() + RETRY_ROTATION_MS;
    if (!isFailing)
      console.error(
        `${path.basename(file)} cannot be rotated (${error.message}) and grows further.`
      );
    isFailing = true;
  }
  return async (opened) => {
    if (rotation === void 0 || !opened.isFile() || opened.size < rotation.maxBytes) return false;
    if (performance.now() < retryAt) return false;
    let isRenamed = false;
    try {
      await locked(`${file}.rotating`, async () => {
        if (await isStillAt(opened, file)) await renameFile(file, rotatedName(file));
        isRenamed = true;
        await deleteOldest(file, rotation.maxFiles - 1);
        isFailing = false;
      });
    } catch (error) {
      if (codeOf(error) === "ENOENT") return true;
      report(error);
    }
    return isRenamed;
  };
}
async function locked(lock, work) {
  try {
    await closeFile(await openFile(lock, "wx"));
  } catch (error) {
    if (codeOf(error) !== "EEXIST") throw error;
    const found = await statPath(lock).catch(() => void 0);
    if (found && Date.now() - found.mtimeMs > RETRY_ROTATION_MS) await unlinkIfThere(lock);
    return;
  }
  try {
    await work();
  } finally {
    await unlinkIfThere(lock);
  }
}
function rotatedName(file) {
  const time = (/* @__PURE__ */ new Date()).toISOString().replaceAll(/[-:.]/g, "");
  return `${file}.${time}-${randomUUID().slice(0, 8)}`;
}
var ROTATED = /^\.\d{8}T\d{9}Z-[\da-f]{8}$/;
async function deleteOldest(file, kept) {
  const [folder, base] = [path.dirname(file), path.basename(file)];
  const names = await readFolder(folder);
  const rotated = names.filter((name) => name.startsWith(base) && ROTATED.test(name.slice(base.length)));
  for (const name of rotated.sort().slice(0, Math.max(rotated.length - kept, 0))) {
    await unlinkIfThere(path.join(folder, name));
  }
}
async function unlinkIfThere(file) {
  await unlinkFile(file).catch((error) => {
    if (codeOf(error) !== "ENOENT") throw error;
  });
}
async function openWithFolder(file) {
  try {
    return await openFile(file, FLAGS);
  } catch (error) {
    if (codeOf(error) !== "ENOENT") throw error;
    await createFolder(path.dirname(file));
    return openFile(file, FLAGS);
  }
}
async function createFolder(folder) {
  try {
    await mkdirOnce(folder);
  } catch (error) {
    if (codeOf(error) === "EEXIST") return;
    const parent = path.dirname(folder);
    if (codeOf(error) !== "ENOENT" || parent === folder) throw error;
    await createFolder(parent);
    await mkdirOnce(folder).catch((again) => {
      if (codeOf(again) !== "EEXIST") throw again;
    });
  }
}
function codeOf(error) {
  return error.code;
}

// packages/bot/src/message-flow-file.ts
var MESSAGE_FLOW_FILE = "message-flow.log";
var ROTATION = { maxBytes: 1e8, maxFiles: 5 };
function createFileLogger({
  logDir = "logs",
  maxBufferedBytes = 1e6,
  reopenDelayMs = 5e3,
  closeWithinMs = 1e3
} = {}) {
  const file = path2.join(logDir, MESSAGE_FLOW_FILE);
  const appender = createFileAppender({ file, rotation: ROTATION, reopenDelayMs, onFailure: warn });
  let waiting = [];
  let waitingBytes = 0;
  let linesLost = 0;
  let writing;
  function warn(error) {
    console.error(
      `${MESSAGE_FLOW_FILE} cannot be written (${error.message}). Its lines are lost; emissions continue. Make the folder writable, free disk space, or set LOG_DIR (option logDir) to another folder.`
    );
  }
  async function writeWaiting() {
    while (waiting.length > 0) {
      const lines = waiting;
      const lost = linesLost;
      waiting = [];
      waitingBytes = 0;
      if (lost > 0) lines[0] = `${lines[0]?.slice(0, -1) ?? ""},"linesLost":${lost}}`;
      if (await appender.append(Buffer.from(`${lines.join("\n")}
`))) linesLost -= lost;
      else linesLost += lines.length;
    }
    writing = void 0;
  }
  return {
    messageFlow(level, message, fields = {}) {
      try {
        const line = escapeMarks(
          JSON.stringify({ time: (/* @__PURE__ */ new Date()).toISOString(), level, message, ...fields })
        );
        if (waitingBytes > maxBufferedBytes) {
          linesLost += 1;
          return;
        }
        waiting.push(line);
        waitingBytes += line.length;
        writing ??= writeWaiting();
      } catch {
        linesLost += 1;
      }
    },
    async close() {
      const deadline = startDeadline(closeWithinMs);
      await untilAborted((writing ?? Promise.resolve()).then(appender.close), deadline.signal);
      deadline.end();
    }
  };
}

// packages/bot/src/message-flow.ts
import { isNativeError as isNativeError2 } from "node:util/types";
var MAX_CLOSE_MS = 1e3;
function createMessageFlow(given) {
  const logger = given;
  let isReported = false;
  function reportLoss(error, message, fields) {
    if (isReported) return;
    isReported = true;
    const reason = typeof fields.reason === "string" ? ` (${fields.reason})` : "";
    console.error(
      `The logger failed: ${isNativeError2(error) ? error.message : "it threw a value that is not an error"}. Log lines of emissions are lost; emissions continue. The first lost line: ${message}${reason}`
    );
  }
  return {
    log(level, message, fields = {}) {
      try {
        Promise.resolve(writeTo(logger, level, message, fields)).catch((error) => {
          reportLoss(error, message, fields);
        });
      } catch (error) {
        reportLoss(error, message, fields);
      }
    },
    async close() {
      const deadline = startDeadline(MAX_CLOSE_MS);
      try {
        if (typeof logger === "function" || logger.messageFlow === void 0) return;
        await untilAborted(Promise.resolve(logger.close?.()), deadline.signal);
      } catch {
      } finally {
        deadline.end();
      }
    }
  };
}
function writeTo(logger, level, message, fields) {
  if (typeof logger === "function") return logger(level, message, fields);
  if (typeof logger.messageFlow === "function") return logger.messageFlow(level, message, fields);
  const methods = logger.messageFlow ?? logger;
  const method = level === "warn" && typeof methods.warning === "function" ? "warning" : level;
  if (typeof methods[method] !== "function") throw new TypeError(`it has no method ${method}`);
  return methods[method](message, fields);
}

// packages/bot/src/options.ts
function toSettings(options) {
  const { backend, security } = options.config ?? {};
  const backendUrl = readUrl(text(options.backendUrl) ?? text(backend?.apiUrl) ?? "http://localhost:3001");
  const given = firstKey(options.apiKey) ?? firstKey(security?.internalApiKey);
  const apiKey = given !== void 0 && isSendable(given) ? given : void 0;
  return {
    backendUrl,
    apiKey,
    problem: problemOf(given, apiKey, backendUrl),
    logDir: text(options.logDir) ?? "logs",
    deadlineMs: positive(options.deadlineMs, 2e3),
    attemptTimeoutMs: positive(options.attemptTimeoutMs, 1200),
    maxAttempts: Math.ceil(positive(options.maxAttempts, 4)),
    firstRetryDelayMs: positive(options.firstRetryDelayMs, 100),
    maxRetryDelayMs: positive(options.maxRetryDelayMs, 500),
    failuresToOpen: Math.ceil(positive(options.failuresToOpen, 5)),
    coolDownMs: positive(options.coolDownMs, 2e3),
    socketFallback: options.socketFallback ?? true,
    socketIdleMs: positive(options.socketIdleMs, 3e4)
  };
}
function text(value) {
  return typeof value === "string" && value.trim() !== "" ? value.trim() : void 0;
}
function firstKey(value) {
  return text(
    text(value)?.split(",").find((key) => key.trim() !== "")
  );
}
function isSendable(key) {
  return /^[\x21-\x7e]+$/.test(key) && !/^(["'`]).*\1$/.test(key);
}
function problemOf(given, apiKey, url) {
  if (given === void 0) return { level: "warn", reason: "INTERNAL_SERVICE_API_KEY is not set" };
  if (apiKey === void 0) {
    const reason = "INTERNAL_SERVICE_API_KEY is enclosed in quotes, or contains a space or another character that a key cannot contain";
    return { level: "error", reason };
  }
  return url === void 0 ? { level: "error", reason: "BACKEND_API_URL is not an http(s) address" } : void 0;
}
function readUrl(given) {
  const address = /^([\w.-]+|\[[\da-f:.]+\]):\d+(?:[/?#]|$)/i.test(given) ? `http://${given}` : given;
  if (!URL.canParse(address)) return void 0;
  const url = new URL(address);
  url.search = "";
  url.hash = "";
  return url.protocol === "http:" || url.protocol === "https:" ? url : void 0;
}
function positive(value, otherwise) {
  return typeof value === "number" && value > 0 && value < 2 ** 31 ? value : otherwise;
}

// packages/bot/src/report.ts
import { isNativeError as isNativeError3 } from "node:util/types";
var NOT_TRIED_INTERVAL_MS = 1e4;
var MAX_LOGGED = 2e3;
var MAX_LOGGED_ITEMS = 20;
var MAX_NOTICES = 20;
var FAILED = "Failed to emit socket event";
function createReport({ messageFlow, apiKey, onFailed }) {
  let notTriedAt = -Infinity;
  let notTried = 0;
  const redact = (text2) => apiKey === void 0 ? text2 : text2.replaceAll(apiKey, "[key]");
  function failed(level, reason, fields) {
    messageFlow.log(level, FAILED, { reason, ...fields });
    onFailed(level, reason, fields);
  }
  function failedUntried(fields) {
    notTried += 1;
    if (performance.now() - notTriedAt < NOT_TRIED_INTERVAL_MS) return;
    failed("error", "circuit open: the backend did not reply recently", { ...fields, notTried });
    notTriedAt = performance.now();
    notTried = 0;
  }
  function delivered({ events, fields }, { result, via, attempts }, tookMs) {
    const all = { ...fields, via, attempts, tookMs: Math.round(tookMs) };
    switch (result.outcome) {
      case "accepted":
        for (const event of events) {
          const message = `Successfully emitted ${event} socket event`;
          messageFlow.log("info", message, { ...all, ...idsOf(result.answer) });
        }
        return true;
      case "refused":
      case "postponed":
      case "unavailable":
        failed("error", "HTTP error", { ...all, ...detailsOf(result.answer, redact) });
        return false;
      case "unanswered":
        failed("error", result.timedOut ? "timeout" : "network error", {
          ...all,
          ...errorOf(result, redact)
        });
        return false;
      case "not-tried":
        failedUntried(all);
        return false;
      default:
        return result;
    }
  }
  return { failed, delivered };
}
function createConsoleNotice(logDir) {
  const printed = /* @__PURE__ */ new Set();
  return (level, reason, { status, error }) => {
    if (printed.has(reason) || printed.size >= MAX_NOTICES) return;
    printed.add(reason);
    const detail = [status, error].find((value) => typeof value === "number" || typeof value === "string");
    const why = detail === void 0 ? reason : `${reason} (${detail})`;
    console[level](`${FAILED}: ${why}. Details are in message-flow.log, in the folder ${logDir}.`);
  };
}
function idsOf({ body }) {
  return typeof body === "object" && body !== null && "emissionId" in body ? { emissionId: body.emissionId } : {};
}
function detailsOf({ status, text: text2, body }, redact) {
  const rejected = rejectedItems(body).slice(0, MAX_LOGGED_ITEMS).map(({ index, status: itemStatus, code }) => ({
    index,
    status: itemStatus,
    code: redact(String(code))
  }));
  return { status, body: cut(redact(text2), MAX_LOGGED), ...rejected.length > 0 ? { rejected } : {} };
}
function errorOf({ error }, redact) {
  if (!isNativeError3(error)) return { error: redact(String(error)) };
  const code = "code" in error ? String(error.code) : void 0;
  return { error: redact(error.message || (code ?? error.name)), code, stack: redact(error.stack ?? "") };
}

// packages/bot/src/requests.ts
import { randomUUID as randomUUID2 } from "node:crypto";
var BASE_PATH = "/api/v1/internal/socket";
function singleRequest(emission) {
  const { event, ...ids } = emission;
  const idempotencyKey = randomUUID2();
  return {
    path: `${BASE_PATH}/${slugOf(event)}`,
    body: JSON.stringify(ids),
    idempotencyKey,
    classify: classifySingleReply,
    socketRequests: [{ ...emission, idempotencyKey }]
  };
}
function batchRequest(emissions) {
  const idempotencyKey = randomUUID2();
  return {
    path: `${BASE_PATH}/batch`,
    body: JSON.stringify({ emissions }),
    idempotencyKey,
    classify: classifyBatchReply,
    socketRequests: emissions.map((emission, index) => ({
      ...emission,
      idempotencyKey: `${idempotencyKey}-${index}`
    }))
  };
}
function slugOf(event) {
  const found = Object.entries(EVENT_SLUGS).find(([, named]) => named === event);
  return found?.[0] ?? event;
}

// packages/bot/src/socket-transport.ts
import { isNativeError as isNativeError4 } from "node:util/types";
function createSocketTransport(options) {
  const { idleMs, loadClient = () => import("socket.io-client") } = options;
  let socket;
  let emissionsInFlight = 0;
  let idleTimer;
  let isClosed = false;
  let isMissing = false;
  function drop() {
    clearTimeout(idleTimer);
    socket?.disconnect();
    socket = void 0;
  }
  async function open2(signal) {
    const client = await untilAborted(loadClient(), signal).catch((error) => {
      isMissing = true;
      throw new Error("socket.io-client is not installed", { cause: error });
    });
    if (client === void 0 || isClosed) throw new Error("stopped while socket.io-client was loading");
    if (socket === void 0) {
      const created = connect(client, options, () => {
        if (socket === created) drop();
      });
      socket = created;
    }
    const opened = socket;
    await connected(opened, signal);
    return opened;
  }
  return {
    usable: () => !isMissing && !isClosed,
    async emit(request, signal) {
      clearTimeout(idleTimer);
      emissionsInFlight += 1;
      try {
        const reply = await acknowledged(await open2(signal), request, signal);
        return toAnswer(reply);
      } catch (error) {
        if (emissionsInFlight === 1) drop();
        throw error;
      } finally {
        emissionsInFlight -= 1;
        if (emissionsInFlight === 0 && socket !== void 0) idleTimer = setTimeout(drop, idleMs).unref();
      }
    },
    close() {
      isClosed = true;
      drop();
    }
  };
}
function connect({ io }, { backendUrl, apiKey }, onEnd) {
  const socket = io(new URL(INTERNAL_NAMESPACE, backendUrl.origin).href, {
    path: `${backendUrl.pathname.replace(/\/+$/, "")}/socket.io`,
    auth: { apiKey },
    transports: ["websocket"],
    reconnection: false,
    forceNew: true,
    autoUnref: true
  });
  socket.on("connect_error", onEnd);
  socket.on("disconnect", onEnd);
  return socket;
}
function toAnswer(reply) {
  const status = typeof reply === "object" && reply !== null && "status" in reply ? Number(reply.status) : 0;
  return { status, body: reply, text: JSON.stringify(reply ?? null) };
}
function connected(socket, signal) {
  if (socket.connected) return Promise.resolve();
  return whileConnected(socket, signal, (resolve) => {
    const onConnect = () => {
      resolve();
    };
    socket.on("connect", onConnect);
    return () => socket.off("connect", onConnect);
  });
}
function acknowledged(socket, request, signal) {
  return whileConnected(socket, signal, (resolve) => {
    socket.emit("emit", request, resolve);
    return () => void 0;
  });
}
function whileConnected(socket, signal, start2) {
  return new Promise((resolve, reject) => {
    const fail = (reason) => {
      finish();
      reject(isNativeError4(reason) ? reason : new Error(`socket closed: ${String(reason)}`));
    };
    const abort = () => {
      fail(new Error("no reply in time over the socket"));
    };
    socket.on("connect_error", fail);
    socket.on("disconnect", fail);
    signal.addEventListener("abort", abort);
    const stop = start2((value) => {
      finish();
      resolve(value);
    });
    function finish() {
      stop();
      socket.off("connect_error", fail);
      socket.off("disconnect", fail);
      signal.removeEventListener("abort", abort);
    }
    if (signal.aborted) abort();
  });
}

// packages/bot/src/trace-call.ts
var API_PACKAGE = "@opentelemetry/api";
function createTraceCall() {
  let loading;
  async function load() {
    try {
      return createTracing(await import(API_PACKAGE), "@appointment-emissions/bot");
    } catch {
      return void 0;
    }
  }
  return async (request, { events, fields }, deliver) => {
    const tracing = await (loading ??= load());
    if (!tracing) return { delivery: await deliver(request), fields };
    const [event] = events;
    const { batch } = fields;
    const isBatch = typeof batch === "number";
    const span = tracing.start(isBatch ? "emit batch" : `emit ${event ?? ""}`, {
      kind: "producer",
      attributes: isBatch ? { "emission.count": batch } : emissionAttributes({ ...fields, event })
    });
    const { traceparent } = span;
    const traced = traceparent === void 0 ? request : { ...request, traceparent };
    const delivery = await span.run(() => deliver(traced));
    const { result, via, attempts } = delivery;
    if (result.outcome === "accepted") {
      span.end({ ...emissionAttributes(idsIn(result)), "emission.via": via, "emission.attempts": attempts });
    } else span.fail(result.outcome);
    return { delivery, fields: { ...fields, ...traceFields(traceparent) } };
  };
}
function idsIn(result) {
  const { body } = result.answer;
  return typeof body === "object" && body !== null && "emissionId" in body ? { emissionId: body.emissionId } : {};
}

// packages/bot/src/realtime-appointments.ts
var MAX_LOGGED_PROBLEMS = 20;
function createRealtimeAppointments(options = {}) {
  const settings = toSettings(options);
  const { logDir } = settings;
  const messageFlow = createMessageFlow(options.logger || createFileLogger({ logDir }));
  const report = createReport({
    messageFlow,
    apiKey: settings.apiKey,
    onFailed: options.logger ? () => void 0 : createConsoleNotice(logDir)
  });
  const backend = connect2(settings);
  const traceCall = createTraceCall();
  const inFlight = /* @__PURE__ */ new Set();
  let closing;
  async function send(request, call) {
    if (closing !== void 0) {
      report.failed("warn", "closed", call.fields);
      return false;
    }
    if (backend === void 0) {
      if (settings.problem) report.failed(settings.problem.level, settings.problem.reason, call.fields);
      return false;
    }
    const startedAt = performance.now();
    const { delivery, fields } = await traceCall(request, call, (traced) => backend.deliver(traced));
    return report.delivered({ ...call, fields }, delivery, performance.now() - startedAt);
  }
  async function run(call) {
    const running = call().catch((error) => {
      const stack = isNativeError5(error) ? error.stack : void 0;
      report.failed("error", "a bug in the library", { stack });
      return false;
    });
    inFlight.add(running);
    return running.finally(() => inFlight.delete(running));
  }
  async function close2() {
    await Promise.all(inFlight);
    backend?.close();
    await messageFlow.close();
  }
  const calls = { send, report };
  return {
    emitAppointmentCreated: (appointmentId) => run(() => emitOne(calls, { event: APPOINTMENT_CREATED, appointmentId })),
    emitAppointmentUpdated: (appointmentId) => run(() => emitOne(calls, { event: APPOINTMENT_UPDATED, appointmentId })),
    emitAppointmentCanceled: (appointmentId) => run(() => emitOne(calls, { event: APPOINTMENT_CANCELED, appointmentId })),
    emitAppointmentDeleted: (appointmentId, companyId) => run(() => emitOne(calls, { event: APPOINTMENT_DELETED, appointmentId, companyId })),
    emitBatch: (emissions) => run(() => emitMany(calls, emissions)),
    close: () => closing ??= close2()
  };
}
async function emitOne({ send, report }, given) {
  const { event } = given;
  const emission = readEmission(given);
  if ("problem" in emission) {
    report.failed("error", emission.problem, { event });
    return false;
  }
  return send(singleRequest(emission), { events: [event], fields: { ...emission } });
}
async function emitMany({ send, report }, given) {
  const { emissions, problems } = readBatch(given);
  if (problems.length > 0) {
    const named = problems.slice(0, MAX_LOGGED_PROBLEMS);
    report.failed("error", "invalid emissions in the batch", { problems: named });
  }
  const sent = inBatches(emissions).map((batch) => {
    const events = [...new Set(batch.map(({ event }) => event))];
    return send(batchRequest(batch), { events, fields: { batch: batch.length } });
  });
  const accepted = await Promise.all(sent);
  return problems.length === 0 && accepted.every(Boolean);
}
function connect2(settings) {
  const { backendUrl, apiKey, deadlineMs } = settings;
  if (settings.problem !== void 0 || backendUrl === void 0 || apiKey === void 0) return void 0;
  const http2 = createHttpTransport({ backendUrl, apiKey });
  const socket = settings.socketFallback ? createSocketTransport({ backendUrl, apiKey, idleMs: settings.socketIdleMs }) : void 0;
  const deliver = createDeliver({
    http: http2,
    httpBreaker: createCircuitBreaker(settings),
    socket,
    socketBreaker: createCircuitBreaker(settings),
    settings
  });
  return {
    /** Resolves within the deadline of a call. */
    async deliver(request) {
      const deadline = startDeadline(deadlineMs);
      try {
        const delivery = await untilAborted(deliver(request, deadline), deadline.signal);
        return delivery ?? { result: timedOut(deadlineMs), via: "http", attempts: 1 };
      } finally {
        deadline.end();
      }
    },
    close() {
      http2.close();
      socket?.close();
    }
  };
}

// packages/bot/src/tools/handlers.ts
import { isNativeError as isNativeError7 } from "node:util/types";

// packages/bot/src/tools/announce.ts
import { isNativeError as isNativeError6 } from "node:util/types";
var WAIT_MS = 40;
function createAnnounce(messageFlow) {
  const inFlight = /* @__PURE__ */ new Set();
  async function emitAndLog(tool, appointmentId, emit) {
    const logFailure = (reason) => {
      const message = `[${tool}] Failed to emit socket event: ${reason}`;
      messageFlow.log("warn", message, { tool, appointmentId });
      console.warn(`${message} (appointment ${appointmentId})`);
    };
    try {
      if (!await emit()) logFailure("the emission was not accepted; the message-flow log has the reason");
    } catch (error) {
      logFailure(isNativeError6(error) ? error.message : String(error));
    }
  }
  async function announce(tool, appointmentId, emit) {
    const emission = emitAndLog(tool, appointmentId, emit).finally(() => inFlight.delete(emission));
    inFlight.add(emission);
    await withinMs(emission, WAIT_MS);
  }
  return {
    announce,
    /** Resolves when no emission is in flight. */
    drain: async () => {
      await Promise.all(inFlight);
    }
  };
}
async function withinMs(work, ms) {
  let timer;
  const timeout = new Promise((resolve) => {
    timer = setTimeout(resolve, ms);
  });
  await Promise.race([work, timeout]);
  clearTimeout(timer);
}

// packages/bot/src/tools/booking-service.ts
function bookingsOfCustomer(bookings, customerId) {
  async function ifOwn(appointmentId, change) {
    const owner = await bookings.customerOf(appointmentId);
    return owner?.toLowerCase() === customerId.toLowerCase() ? change() : { outcome: "unknown-appointment" };
  }
  return {
    async book(request) {
      const outcome = await bookings.book({ ...request, customerId });
      return outcome.outcome === "unknown-reference" && outcome.reference === "customerId" ? { outcome: "refused", reason: "store-refused", cause: `the company has no customer ${customerId}` } : outcome;
    },
    reschedule: (request) => ifOwn(request.appointmentId, () => bookings.reschedule(request)),
    cancel: (appointmentId) => ifOwn(appointmentId, () => bookings.cancel(appointmentId))
  };
}

// packages/bot/src/tools/definitions.ts
var TOOL_NAMES = ["book_appointment", "reschedule_appointment", "cancel_appointment"];
var SLOT_MINUTES = 5;
function idOf2(what) {
  return {
    type: "string",
    description: `Id of ${what}: 24 hexadecimal characters, as returned by another tool. Never invent an id.`,
    pattern: "^[0-9a-fA-F]{24}$",
    examples: ["65f1a2b3c4d5e6f708192a3b"]
  };
}
var start = {
  type: "string",
  description: `Start time: ISO 8601 with an offset from UTC, in the future, at a multiple of ${SLOT_MINUTES} minutes.`,
  format: "date-time",
  examples: ["2031-05-14T10:30:00+02:00"]
};
var durationMinutes = {
  type: "integer",
  description: "Duration in minutes.",
  minimum: SLOT_MINUTES,
  maximum: 480,
  multipleOf: SLOT_MINUTES,
  examples: [60]
};
var notes = {
  type: "string",
  description: "Information for the groomer, in the words of the customer.",
  maxLength: 1e3,
  examples: ["Afraid of the dryer."]
};
var TOOL_DEFINITIONS = [
  {
    name: "book_appointment",
    description: "Books a grooming appointment for a pet with one staff member. If the staff member is busy at that time, offer the customer another time or another staff member.",
    input_schema: {
      type: "object",
      properties: {
        customerId: idOf2("the customer"),
        petId: idOf2("the customer's pet"),
        serviceId: idOf2("the service"),
        serviceItemId: idOf2("the service's variant for the pet's size and coat"),
        staffId: idOf2("the staff member"),
        start,
        durationMinutes,
        notes
      },
      required: ["customerId", "petId", "serviceId", "staffId", "start", "durationMinutes"],
      additionalProperties: false
    }
  },
  {
    name: "reschedule_appointment",
    description: "Moves an appointment to another time. Optionally changes its staff member or its duration. A canceled appointment cannot be moved: book a new one.",
    input_schema: {
      type: "object",
      properties: {
        appointmentId: idOf2("the appointment"),
        start,
        durationMinutes,
        staffId: idOf2("the staff member")
      },
      required: ["appointmentId", "start"],
      additionalProperties: false
    }
  },
  {
    name: "cancel_appointment",
    description: "Cancels an appointment. Ask the customer for confirmation first. Canceling twice is harmless.",
    input_schema: {
      type: "object",
      properties: { appointmentId: idOf2("the appointment") },
      required: ["appointmentId"],
      additionalProperties: false
    }
  }
];
var CUSTOMER_TOOL_DEFINITIONS = TOOL_DEFINITIONS.map(withoutCustomer);
function withoutCustomer(definition) {
  const { properties, required } = definition.input_schema;
  const kept = Object.entries(properties).filter(([name]) => name !== "customerId");
  return {
    ...definition,
    input_schema: {
      ...definition.input_schema,
      properties: Object.fromEntries(kept),
      required: required.filter((name) => name !== "customerId")
    }
  };
}
function toOpenAiTools(definitions = TOOL_DEFINITIONS) {
  return definitions.map(({ name, description, input_schema: parameters }) => ({
    type: "function",
    function: { name, description, parameters }
  }));
}

// packages/bot/src/tools/read-arguments.ts
function readArguments({ input_schema: schema }, given) {
  try {
    const named = asObject(given);
    if (named === void 0) return { problems: ["The arguments must be one JSON object."] };
    const known = Object.keys(schema.properties);
    const problems = Object.keys(named).filter((name) => !known.includes(name)).map(
      (name) => `${quote(name)} is not an argument of this tool. Its arguments are ${known.join(", ")}.`
    );
    const values = {};
    for (const [name, argument] of Object.entries(schema.properties)) {
      const value = named[name];
      if (value === void 0 || value === null || value === "") {
        if (schema.required.includes(name)) problems.push(`${name} is missing. ${example(argument)}`);
        continue;
      }
      const problem = problemOf2(argument, value);
      if (problem === void 0)
        values[name] = typeof value === "string" ? wellFormed(value) : value;
      else problems.push(`${name} ${problem}, but was ${quote(value)}. ${example(argument)}`);
    }
    return problems.length > 0 ? { problems } : { values };
  } catch {
    return { problems: ["The arguments cannot be parsed. They must be one JSON object."] };
  }
}
function asObject(given) {
  const value = typeof given === "string" ? JSON.parse(given) : given;
  return typeof value === "object" && value !== null && !Array.isArray(value) ? value : void 0;
}
function problemOf2(argument, value) {
  return argument.type === "integer" ? problemOfInteger(argument, value) : problemOfText(argument, value);
}
function problemOfInteger({ minimum, maximum, multipleOf }, value) {
  if (typeof value !== "number" || !Number.isInteger(value)) return "must be a whole number";
  if (minimum !== void 0 && value < minimum) return `must be at least ${minimum}`;
  if (maximum !== void 0 && value > maximum) return `must be at most ${maximum}`;
  if (multipleOf !== void 0 && value % multipleOf !== 0) return `must be a multiple of ${multipleOf}`;
  return void 0;
}
var SURROGATE_PAIR = /[\ud800-\udbff][\udc00-\udfff]/g;
var DATE_TIME = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?(Z|[+-]\d{2}:\d{2})$/i;
function problemOfText({ pattern, format, maxLength }, value) {
  if (typeof value !== "string") return "must be a string";
  if (maxLength !== void 0 && countCodePoints(value) > maxLength)
    return `must have at most ${maxLength} characters`;
  if (pattern !== void 0 && !new RegExp(pattern).test(value)) return "must be 24 hexadecimal characters";
  if (format === void 0) return void 0;
  if (format === "date")
    return isCalendarDate(value) ? void 0 : "must be a date that exists, in a year from 1970 to 9999";
  if (!DATE_TIME.test(value)) return "must be an ISO 8601 date and time with an offset from UTC";
  return parseInstant(value) === void 0 ? "must be a date and time that exists, in a year from 1970 to 9999" : void 0;
}
function countCodePoints(text2) {
  return text2.length - (text2.match(SURROGATE_PAIR)?.length ?? 0);
}
function example({ examples }) {
  return `Example: ${JSON.stringify(examples[0])}.`;
}
var MAX_QUOTED = 80;
function quote(value) {
  const json = JSON.stringify(value);
  return escapeMarks(cut(json ?? typeof value, MAX_QUOTED));
}

// packages/bot/src/tools/describe-outcome.ts
var REFERENCES = {
  customerId: "no customer with this customerId",
  petId: "no pet of this customer with this petId",
  serviceId: "no service with this serviceId",
  serviceItemId: "no variant of this service with this serviceItemId",
  staffId: "no staff member with this staffId"
};
var DONE = {
  book_appointment: "Booked.",
  reschedule_appointment: "Moved.",
  cancel_appointment: "Canceled."
};
var ALREADY = {
  book_appointment: "It was already booked; nothing was changed.",
  reschedule_appointment: "It was already at that time; nothing was changed.",
  cancel_appointment: "It was already canceled; nothing was changed."
};
var REFUSED = {
  "unknown-length": "the appointment has no valid duration. Ask for the duration and pass it as durationMinutes.",
  "unknown-staff": "the appointment has no staff member. Ask for one and pass its id as staffId.",
  "time-out-of-range": "the appointment would end after the year 9999. Choose another start.",
  "no-show": "the customer did not come to this appointment, so it cannot be moved or canceled. Book a new one with book_appointment.",
  "changed-by-others": "the appointment is being changed by another user. Try again in a moment.",
  "store-refused": "the calendar rejected this change, and would reject it again. Apologize, and ask a staff member to check."
};
function describeOutcome(tool, result) {
  switch (result.outcome) {
    case "done":
      return result.changed ? DONE[tool] : ALREADY[tool];
    case "busy":
      if (result.of === "pet")
        return `Nothing was done: the pet has an appointment with another staff member${describePeriod(result)}. Offer another time.`;
      return `Nothing was done: the staff member has another appointment${describePeriod(result)}. ` + (result.own === void 0 ? "Offer another time or another staff member." : `It is for the same pet, with the id ${result.own}: perhaps it was booked a moment ago.`);
    case "unknown-reference":
      return `Nothing was done: there is ${REFERENCES[result.reference]}. Look the id up again; do not guess it.`;
    case "unknown-appointment":
      return "Nothing was done: there is no appointment with this appointmentId. Look the id up again; do not guess it.";
    case "is-canceled":
      return "Nothing was done: this appointment is canceled and cannot be changed. Book a new one with book_appointment.";
    case "refused":
      return `Nothing was done: ${REFUSED[result.reason]}`;
    default:
      return result;
  }
}
var DAY_MS = 24 * 36e5;
var LAST_START = LAST_INSTANT + 1 - DAY_MS;
function describePeriod({ from, to }) {
  const [start2, end] = [isoOrNull(from), isoOrNull(to)];
  if (start2 !== null && end !== null) return ` from ${start2} to ${end}`;
  return start2 === null ? " at that time" : ` at ${start2}`;
}
function isoOrNull(date) {
  return date === null || Number.isNaN(date.getTime()) ? null : date.toISOString();
}
function describeTimeProblem(start2, now) {
  if (start2 === void 0) return void 0;
  const instant = parseInstant(String(start2)) ?? Number.NaN;
  if (instant > LAST_START) return `start must not be after "${new Date(LAST_START).toISOString()}".`;
  const slotMs = SLOT_MINUTES * 6e4;
  if (instant % slotMs !== 0) {
    const near = new Date(Math.round(instant / slotMs) * slotMs).toISOString();
    return `start must be at a multiple of ${SLOT_MINUTES} minutes; the nearest is "${near}".`;
  }
  if (instant <= now.getTime()) return `start must be in the future; the time is now "${now.toISOString()}".`;
  return void 0;
}

// packages/bot/src/tools/handlers.ts
function createToolHandlers(deps) {
  const { realtime, logger, now = () => /* @__PURE__ */ new Date() } = deps;
  const isForOne = deps.customerId !== void 0;
  const bookings = isForOne ? bookingsOfCustomer(deps.bookings, deps.customerId) : deps.bookings;
  const definitions = isForOne ? CUSTOMER_TOOL_DEFINITIONS : TOOL_DEFINITIONS;
  const messageFlow = createMessageFlow(logger);
  const { announce, drain } = createAnnounce(messageFlow);
  const emitFor = {
    book_appointment: (id) => realtime.emitAppointmentCreated(id),
    reschedule_appointment: (id) => realtime.emitAppointmentUpdated(id),
    cancel_appointment: (id) => realtime.emitAppointmentCanceled(id)
  };
  async function run(tool, args) {
    const read = readArguments(tool, args);
    if ("problems" in read) return refuse(`Nothing was done. ${read.problems.join(" ")}`);
    const timeProblem = describeTimeProblem(read.values.start, now());
    if (timeProblem !== void 0) return refuse(`Nothing was done. ${timeProblem}`);
    const outcome = await save(bookings, tool.name, read.values);
    if (outcome.outcome === "refused" && outcome.cause !== void 0)
      messageFlow.log("error", `[${tool.name}] The booking service rejected the change`, {
        cause: outcome.cause
      });
    if (outcome.outcome !== "done") return refuse(describeOutcome(tool.name, outcome));
    const { appointment, changed } = outcome;
    if (changed) {
      const { appointmentId } = appointment;
      await announce(tool.name, appointmentId, async () => emitFor[tool.name](appointmentId));
    }
    return { ok: true, message: describeOutcome(tool.name, outcome), appointment: toPlain(appointment) };
  }
  return {
    definitions,
    close: drain,
    async handle(name, args) {
      const tool = definitions.find((definition) => definition.name === name);
      if (tool === void 0) return refuse(`There is no such tool. The tools are ${TOOL_NAMES.join(", ")}.`);
      try {
        return await run(tool, args);
      } catch (error) {
        const fields = { stack: isNativeError7(error) ? error.stack : String(error) };
        messageFlow.log("error", `[${tool.name}] The booking service failed`, fields);
        return refuse(
          "The calendar cannot be reached at the moment, and the change may or may not be saved. Apologize, and try again in a minute. If the time is then taken, ask a staff member to check."
        );
      }
    }
  };
}
function save(bookings, tool, values) {
  const text2 = (name) => values[name];
  const start2 = () => new Date(parseInstant(text2("start")) ?? Number.NaN);
  const optionalText = (name) => values[name];
  const minutes = values.durationMinutes;
  switch (tool) {
    case "book_appointment":
      return bookings.book({
        // Tools for one customer have no such argument: bookingsOfCustomer sets it.
        customerId: optionalText("customerId") ?? "",
        petId: text2("petId"),
        serviceId: text2("serviceId"),
        serviceItemId: optionalText("serviceItemId"),
        staffId: text2("staffId"),
        start: start2(),
        durationMinutes: minutes ?? 0,
        notes: optionalText("notes")
      });
    case "reschedule_appointment":
      return bookings.reschedule({
        appointmentId: text2("appointmentId"),
        start: start2(),
        durationMinutes: minutes,
        staffId: optionalText("staffId")
      });
    case "cancel_appointment":
      return bookings.cancel(text2("appointmentId"));
    default:
      return tool;
  }
}
function refuse(message) {
  return { ok: false, message };
}
function toPlain({
  appointmentId,
  staffId,
  start: start2,
  end
}) {
  return { appointmentId, staffId, start: isoOrNull(start2), end: isoOrNull(end) };
}

// packages/bot/src/index.ts
var ready;
function fromEnvironment() {
  ready ??= createRealtimeAppointments({
    backendUrl: process.env.BACKEND_API_URL,
    apiKey: process.env.INTERNAL_SERVICE_API_KEY,
    logDir: process.env.LOG_DIR
  });
  return ready;
}
function emitAppointmentCreated(appointmentId) {
  return fromEnvironment().emitAppointmentCreated(appointmentId);
}
function emitAppointmentUpdated(appointmentId) {
  return fromEnvironment().emitAppointmentUpdated(appointmentId);
}
function emitAppointmentCanceled(appointmentId) {
  return fromEnvironment().emitAppointmentCanceled(appointmentId);
}
function emitAppointmentDeleted(appointmentId, companyId) {
  return fromEnvironment().emitAppointmentDeleted(appointmentId, companyId);
}
function emitBatch(emissions) {
  return fromEnvironment().emitBatch(emissions);
}
async function closeRealtimeAppointments() {
  const closing = ready;
  ready = void 0;
  await closing?.close();
}
export {
  SLOT_MINUTES,
  TOOL_DEFINITIONS,
  closeRealtimeAppointments,
  createFileLogger as createMessageFlowLogger,
  createRealtimeAppointments,
  createToolHandlers,
  emitAppointmentCanceled,
  emitAppointmentCreated,
  emitAppointmentDeleted,
  emitAppointmentUpdated,
  emitBatch,
  readArguments,
  toOpenAiTools
};
