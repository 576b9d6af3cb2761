import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { SOURCE_ARGS } from '../../scripts/source-args.mjs';

/** What `answer.ts` is asked: CPU since its start in µs, memory in bytes, to begin a CPU profile and to write it. */
export interface Question {
  ask: 'cpu' | 'memory' | 'profile' | 'profiled';
  id: number;
}
export interface Answer {
  id: number;
  value?: number;
  error?: string;
}

/** One side's process. */
export interface RunningSide {
  /** Where it listens, if it does. */
  url: string;
  ask: (ask: Question['ask']) => Promise<number>;
  /** Something that only this side understands. */
  tell: (message: object) => void;
  stop: () => Promise<void>;
}

const ANSWER = new URL('./answer.ts', import.meta.url).href;

/** As `npm run start:api` and `start:worker` have it, here all workers. */
const flagsOf = (file: string): string[] => (/our-api|worker/.test(file) ? ['--max-semi-space-size=32'] : []);

/** Starts sides as processes of their own, with the environment of their stage. */
export function createSides(env: Record<string, string>) {
  const children = new Set<ChildProcess>();

  /** Resolves when it has said that it is ready. @param file in `bench/` */
  async function start(file: string, over: Record<string, string> = {}): Promise<RunningSide> {
    const child = fork(fileURLToPath(new URL(`../${file}`, import.meta.url)), {
      env: { ...env, ...over },
      execArgv: ['--expose-gc', ...flagsOf(file), ...SOURCE_ARGS, '--import', ANSWER],
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    });
    children.add(child);
    const [ready] = (await Promise.race([once(child, 'message'), once(child, 'exit')])) as [
      { url?: string } | number | null,
    ];
    if (typeof ready !== 'object' || ready === null) throw new Error(`${file} ended at once`);

    const asked = new Map<number, (answer: Answer) => void>();
    child.on('message', (answer: Answer) => asked.get(answer.id)?.(answer));
    let lastId = 0;
    return {
      url: ready.url ?? '',
      async ask(ask) {
        const id = (lastId += 1);
        const answered = new Promise<Answer>((resolve) => asked.set(id, resolve));
        child.send({ ask, id } satisfies Question);
        const { value, error } = await answered;
        asked.delete(id);
        if (value === undefined) throw new Error(`${file} could not answer: ${error ?? ''}`);
        return value;
      },
      tell: (message) => void child.send(message),
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
