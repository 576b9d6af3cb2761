import { setImmediate as nextTurn } from 'node:timers/promises';
import type { RedisClient } from '../../../src/redis/connect.ts';
import { createModelClient, type ScriptCall } from '../redis-client.ts';
import { FIRST_FRESH_ID, idName } from './parts.ts';

/** What a process asks of its surroundings. It waits for the answer. */
export type Request =
  | { kind: 'script'; digest: string; keys: string[]; args: string[] }
  /** Reads appointments from MongoDB. */
  | { kind: 'load'; ids: string[] }
  /** Finds the ids of a company's appointments in MongoDB. */
  | { kind: 'find'; companyId: string };

/** The answer to a request. An error is that of a lost reply. */
export type Answer = { value: unknown } | { error: string };

/** What the code of a process runs on. */
export interface Surroundings {
  redis: RedisClient;
  load: (ids: readonly string[]) => Promise<unknown>;
  find: (companyId: string) => Promise<unknown>;
}

/** Code of the project, from its start to its result. */
export type Program = (surroundings: Surroundings) => Promise<unknown>;

/**
 * The state of a process: the answers that it got since its start. Its code is deterministic, so running it again with these
 * answers leads to the same state.
 */
export interface ProcessState {
  answers: Answer[];
  /** Names of the random ids that it has created, in order. */
  ids: string[];
}

/** Where a process is: it waits for an answer, or it has ended. */
export type Stop = { request: Request } | { result: unknown };

/**
 * Runs a program from its start with the answers that it has got, up to its next request or its end.
 *
 * A request that the process has made before, with other random ids, leads it back to that earlier state: claim → read → confirm
 * starts again if a confirmation is refused. So the number of rounds does not make states differ.
 */
export async function runProcess(
  program: Program,
  state: ProcessState,
): Promise<{ state: ProcessState; stop: Stop }> {
  const run = createRun(state);
  let ended: Stop | undefined;
  void program(run.surroundings).then(
    (result) => (ended = { result }),
    (error: unknown) => (ended = { result: { error: (error as Error).message } }),
  );
  for (let quietTurns = 0, seen = -1; quietTurns < 4 && !ended; quietTurns += 1) {
    await nextTurn();
    if (run.requests.length !== seen) quietTurns = 0;
    seen = run.requests.length;
  }
  if (ended) return { state: { answers: [], ids: [] }, stop: ended };
  return run.stop();
}

/** A request, and how many random ids were created before it. */
interface MadeRequest {
  request: Request;
  idsBefore: number;
}

function createRun({ answers, ids }: ProcessState) {
  const requests: MadeRequest[] = [];
  const names = new Map<string, string>();
  const inOrder: string[] = [];

  function nameOf(randomId: string): string {
    const known = names.get(randomId);
    if (known !== undefined) return known;
    const fresh = inOrder.length - ids.length;
    const name = ids[inOrder.length] ?? idName(FIRST_FRESH_ID + fresh);
    names.set(randomId, name);
    inOrder.push(name);
    return name;
  }

  function ask(request: Request, idsBefore = inOrder.length): Promise<unknown> {
    const answer = answers[requests.length];
    requests.push({ request, idsBefore });
    if (!answer) return new Promise(() => undefined);
    return 'error' in answer ? Promise.reject(new Error(answer.error)) : Promise.resolve(answer.value);
  }

  function askForScript({ digest, keys, args }: ScriptCall): Promise<unknown> {
    const idsBefore = inOrder.length;
    const texts = [...keys, ...args].map((value) => replaceRandomIds(textOfArgument(value), nameOf));
    const own = { keys: texts.slice(0, keys.length), args: texts.slice(keys.length) };
    return ask({ kind: 'script', digest, ...own }, idsBefore);
  }

  return {
    requests,
    surroundings: {
      redis: createModelClient(askForScript),
      load: (wanted) => ask({ kind: 'load', ids: [...wanted] }),
      find: (companyId) => ask({ kind: 'find', companyId }),
    } satisfies Surroundings,
    stop(): { state: ProcessState; stop: Stop } {
      // Redis answers the requests of a connection in their order.
      const waiting = requests[answers.length];
      if (!waiting) throw new Error('the process waits for something that the model does not have');
      const { request } = waiting;
      const created = new Set(inOrder);
      const mask = (made: MadeRequest) => maskIds(made.request, created);
      const earlier =
        request.kind === 'script'
          ? requests.slice(0, answers.length).findIndex((made) => mask(made) === mask(waiting))
          : -1;
      const isAlone = requests.length === answers.length + 1;
      if (earlier < 0 || !isAlone) return { state: { answers, ids: inOrder }, stop: { request } };
      const kept = inOrder.slice(0, requests[earlier]?.idsBefore);
      return {
        state: { answers: answers.slice(0, earlier), ids: [...kept, ...inOrder.slice(waiting.idsBefore)] },
        stop: { request },
      };
    },
  };
}

const RANDOM_ID = /^(?!ID\d{14}$)[\w-]{16}$/;

function textOfArgument(value: unknown): string {
  return Buffer.isBuffer(value) ? value.toString('latin1') : String(value);
}

function replaceRandomIds(text: string, nameOf: (randomId: string) => string): string {
  return RANDOM_ID.test(text) ? nameOf(text) : text;
}

/** A request without the random ids that its process has created. */
function maskIds(request: Request, created: ReadonlySet<string>): string {
  return JSON.stringify(request).replace(/ID\d{14}/g, (name) => (created.has(name) ? 'created' : name));
}
