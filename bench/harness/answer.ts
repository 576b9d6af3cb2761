import { mkdirSync, writeFileSync } from 'node:fs';
import { Session } from 'node:inspector/promises';
import { join } from 'node:path';
import type { Question } from './sides.ts';

/** Loaded into every side before itself: answers what the benchmark asks about the process. */
let session: Session | undefined;

process.on('message', (question: Partial<Question>) => {
  if (question.ask === undefined) return;
  const { id } = question;
  answer(question.ask).then(
    (value) => process.send?.({ id, value }),
    (error: unknown) => process.send?.({ id, error: String(error) }),
  );
});

// Nobody is left whom it could serve.
process.on('disconnect', () => process.exit());

async function answer(ask: Question['ask']): Promise<number> {
  switch (ask) {
    case 'cpu': {
      const { user, system } = process.cpuUsage();
      return user + system;
    }
    case 'memory': {
      // Twice: what finalizers let go is collected by the second.
      await globalThis.gc?.({ execution: 'async', type: 'major' });
      await globalThis.gc?.({ execution: 'async', type: 'major' });
      return process.memoryUsage.rss();
    }
    case 'profile': {
      session = new Session();
      session.connect();
      await session.post('Profiler.enable');
      await session.post('Profiler.setSamplingInterval', { interval: 500 });
      await session.post('Profiler.start');
      return 0;
    }
    case 'profiled': {
      const { profile } = await session!.post('Profiler.stop');
      const dir = process.env['PROFILE_DIR']!;
      mkdirSync(dir, { recursive: true });
      writeFileSync(join(dir, `${process.pid}.cpuprofile`), JSON.stringify(profile));
      return 0;
    }
    default:
      return ask satisfies never;
  }
}
