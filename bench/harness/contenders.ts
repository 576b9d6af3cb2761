import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { SOURCE_ARGS } from '../../scripts/source-args.mjs';

/**
 * A request to `measure-process.ts` inside a contender.
 * - `cpu`: CPU time since its start, in µs
 * - `memory`: resident memory after a garbage collection, in bytes
 * - `start-profile`, `stop-profile`: starts a CPU profile; stops it and writes it to `PROFILE_DIR`
 */
export interface MeasureRequest {
  measure: 'cpu' | 'memory' | 'start-profile' | 'stop-profile';
  id: number;
}
export interface MeasureReply {
  id: number;
  value?: number;
  error?: string;
}

/** The process of one contender. */
export interface RunningContender {
  /** Base URL of its HTTP server; empty for workers. */
  url: string;
  measure: (what: MeasureRequest['measure']) => Promise<number>;
  /** Sends a message that is specific to this contender. */
  send: (message: object) => void;
  stop: () => Promise<void>;
}

const MEASURE_PROCESS = new URL('./measure-process.ts', import.meta.url).href;

/** The flags of `npm run start:api` and `start:worker`. All workers get them, ours and the others. */
const flagsOf = (file: string): string[] => (/our-api|worker/.test(file) ? ['--max-semi-space-size=32'] : []);

/** Starts contenders as separate processes. @param env  their environment variables */
export function createContenders(env: Record<string, string>) {
  const children = new Set<ChildProcess>();

  /** Resolves when the process has reported that it is ready. @param file  relative to `bench/` */
  async function start(file: string, over: Record<string, string> = {}): Promise<RunningContender> {
    const child = fork(fileURLToPath(new URL(`../${file}`, import.meta.url)), {
      env: { ...env, ...over },
      execArgv: ['--expose-gc', ...flagsOf(file), ...SOURCE_ARGS, '--import', MEASURE_PROCESS],
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    });
    children.add(child);
    const [ready] = (await Promise.race([once(child, 'message'), once(child, 'exit')])) as [
      { url?: string } | number | null,
    ];
    if (typeof ready !== 'object' || ready === null) throw new Error(`${file} exited before it was ready`);

    const pending = new Map<number, (reply: MeasureReply) => void>();
    child.on('message', (reply: MeasureReply) => pending.get(reply.id)?.(reply));
    let lastId = 0;
    return {
      url: ready.url ?? '',
      async measure(what) {
        const id = (lastId += 1);
        const replied = new Promise<MeasureReply>((resolve) => pending.set(id, resolve));
        child.send({ measure: what, id } satisfies MeasureRequest);
        const { value, error } = await replied;
        pending.delete(id);
        if (value === undefined) throw new Error(`${file} could not measure "${what}": ${error ?? ''}`);
        return value;
      },
      send: (message) => void child.send(message),
      async stop() {
        children.delete(child);
        if (child.exitCode !== null || child.signalCode !== null) return;
        const exited = once(child, 'exit');
        child.kill('SIGTERM');
        await exited;
      },
    };
  }

  return {
    start,
    killAll() {
      for (const child of children) child.kill('SIGKILL');
    },
  };
}
