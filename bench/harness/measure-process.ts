import { mkdirSync, writeFileSync } from 'node:fs';
import { Session } from 'node:inspector/promises';
import { join } from 'node:path';
import type { MeasureRequest } from './contenders.ts';

/** Preloaded into every contender: answers the benchmark's measure requests from inside the process. */
let session: Session | undefined;

process.on('message', (request: Partial<MeasureRequest>) => {
  if (request.measure === undefined) return;
  const { id } = request;
  measure(request.measure).then(
    (value) => process.send?.({ id, value }),
    (error: unknown) => process.send?.({ id, error: String(error) }),
  );
});

// The benchmark has exited.
process.on('disconnect', () => process.exit());

async function measure(what: MeasureRequest['measure']): Promise<number> {
  switch (what) {
    case 'cpu': {
      const { user, system } = process.cpuUsage();
      return user + system;
    }
    case 'memory': {
      // The second collection frees what finalizers released during the first.
      await globalThis.gc?.({ execution: 'async', type: 'major' });
      await globalThis.gc?.({ execution: 'async', type: 'major' });
      return process.memoryUsage.rss();
    }
    case 'start-profile': {
      session = new Session();
      session.connect();
      await session.post('Profiler.enable');
      await session.post('Profiler.setSamplingInterval', { interval: 500 });
      await session.post('Profiler.start');
      return 0;
    }
    case 'stop-profile': {
      const { profile } = await session!.post('Profiler.stop');
      const dir = process.env['PROFILE_DIR']!;
      mkdirSync(dir, { recursive: true });
      writeFileSync(join(dir, `${process.pid}.cpuprofile`), JSON.stringify(profile));
      return 0;
    }
    default:
      return what satisfies never;
  }
}
