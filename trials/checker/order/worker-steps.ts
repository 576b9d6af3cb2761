import { createIdSource, EMPTY } from './parts.ts';
import { addAnswers, isEnded, startWithScript, stopIn } from './process-steps.ts';
import type { Job } from './programs.ts';
import { appointmentName, type ProcessSlot, valueOf } from './state.ts';
import { add, type Context, partAt, plain, run, spend } from './step.ts';
import * as change from './transitions.ts';

export async function addWorkerSteps(context: Context, worker: ProcessSlot, name: string): Promise<void> {
  const { state, layout } = context;
  const [jobs, process] = [partAt(state, layout.jobs), partAt(state, worker.process)];
  const ids = createIdSource();
  const crash = spend(context, 'crash');
  const freeze = spend(context, 'freeze');
  if (crash || freeze) {
    const [again = EMPTY] = await run(change.requeue, ids, jobs, process);
    if (crash)
      add(context, 'possible', `${name} is killed, and its job waits again`, [
        ...crash,
        [worker.process, EMPTY],
        [worker.stop, EMPTY],
        [layout.jobs, again],
      ]);
    if (freeze)
      add(context, 'possible', `${name} freezes, so its job waits again; it resumes later`, [
        ...freeze,
        [layout.jobs, again],
      ]);
  }
  await addAnswers(context, worker, name, async (changes) => {
    const stop = stopIn(changes, worker);
    if (!isEnded(stop)) return changes;
    const [left = EMPTY] = await run(change.finishJobs, createIdSource(), jobs, process, stop);
    return [...changes, [worker.process, EMPTY], [worker.stop, EMPTY], [layout.jobs, left]];
  });
}

/** An idle worker takes a job. */
export async function addTakes(context: Context, worker: ProcessSlot, name: string): Promise<void> {
  const { state, layout, bounds } = context;
  const jobs = valueOf(state[layout.jobs]) as Job[];
  const texts = jobs.map((job) => JSON.stringify(job));
  const choices = jobs.flatMap((_, index) =>
    texts.indexOf(texts[index] ?? '') === index ? [String(index)] : [],
  );
  if (bounds.batches && jobs.length > 1) choices.push('');
  for (const choice of choices) {
    const ids = createIdSource();
    const [left = EMPTY, task = EMPTY] = await run(
      change.takeJobs,
      ids,
      partAt(state, layout.jobs),
      plain(choice),
    );
    const taken = choice === '' ? jobs : [jobs[Number(choice)] as Job];
    const what = taken.map(({ appointmentId }) => appointmentName(appointmentId)).join(' and ');
    const started = await startWithScript(context, worker, task, ids);
    add(context, 'sure', `${name} takes the job of ${what} and runs claim`, [
      ...started,
      [layout.jobs, left],
    ]);
  }
}
