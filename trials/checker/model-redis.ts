import { createLuaMachine, isError } from './lua-machine.ts';
import { createStandIn, type Keyspace, type PublishedMessage } from './redis-stand-in.ts';
import { scriptSources } from './redis-client.ts';
import type { Answer, Call } from './run-code.ts';

/** A Redis of a model. */
export interface ModelRedis {
  keyspace: Keyspace;
  /** Its `master_replid`. */
  history: string;
  nowMs: number;
}

let runLua: ReturnType<typeof createLuaMachine> | undefined;

/** Runs a script or a command. @returns the keyspace afterwards, the answer, and what was published */
export function runInRedis(
  { keyspace, history, nowMs }: ModelRedis,
  { kind, args }: Call,
): { keyspace: Keyspace; answer: Answer; published: PublishedMessage[] } {
  const changed = structuredClone(keyspace);
  const standIn = createStandIn(changed, history, nowMs);
  const run = () => {
    if (kind === 'command') return standIn.command(String(args[0]), ...(args[1] as string[]));
    const [digest, keys, values] = args as [string, string[], string[]];
    runLua ??= createLuaMachine();
    return runLua(scriptSources.get(digest) ?? '', keys, values, standIn.command);
  };
  const reply = run();
  const answer = isError(reply) ? { error: reply.err } : { value: reply };
  const names = Object.keys(changed).sort();
  const sorted = Object.fromEntries(names.map((name) => [name, changed[name]!]));
  return { keyspace: sorted, answer, published: standIn.published };
}
