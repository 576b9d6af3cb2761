import { appendFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import { freshDir } from '../../test/harness/own-services.ts';
import { report, summarize } from './report.ts';
import { minutesOf, openSamples, type Sample } from './samples.ts';

/** A sample for each minute of a slice; the first ten are its warm-up. */
function sliceOf(slice: number, valueAt: (minute: number) => number): Sample[] {
  return Array.from({ length: 40 }, (_, minute) => ({
    slice,
    seed: 7 + slice,
    minutes: minute,
    isWarm: minute >= 10,
    values: { 'API: heap in use, MB': valueAt(minute), 'machine: load average': 1 + minute },
    kinds: { ':log': 3, ':order:…': 10 + minute },
    counts: { deploys: minute },
    violations: [],
  }));
}
/** The last sample of a slice that was not killed. */
const endOf = (samples: readonly Sample[]): Sample => ({ ...samples.at(-1)!, values: {} });

const wave = (minute: number) => 50 + ((Math.abs(Math.sin(minute * 12.9898)) * 43_758.5453) % 1);
const flat = sliceOf(0, wave);

test('a series that rises in the warm-up alone is flat', () => {
  const samples = sliceOf(0, (minute) => wave(minute) - (minute < 10 ? 40 - 4 * minute : 0));
  const summary = summarize([...samples, endOf(samples)]);
  expect(summary).toMatchObject({ isGood: true, cutSlices: 0, counts: { deploys: 39 } });
  expect(report(summary).join('\n')).toContain('all series are flat');
});

test('a leak of 0.25 MB a minute is found, and the run fails', () => {
  const leaking = sliceOf(0, (minute) => wave(minute) + 0.25 * minute);
  const summary = summarize([...leaking, endOf(leaking)]);
  expect(summary.isGood).toBe(false);
  expect(report(summary)).toContain('NOT FLAT: API: heap in use, MB');
});

test('the same leak is found in two slices, of which the first was killed', () => {
  const leaking = [0, 1].flatMap((slice) => sliceOf(slice, (minute) => wave(minute) + 0.25 * minute));
  const summary = summarize([...leaking, endOf(leaking)]);
  expect(summary).toMatchObject({ isGood: false, slices: 2, cutSlices: 1, counts: { deploys: 78 } });
});

test('the load of the machine is shown but not judged', () => {
  const { isGood, series } = summarize([...flat, endOf(flat)]);
  expect(isGood).toBe(true);
  expect(series.find(({ name }) => name === 'machine: load average')?.verdict).toBe('not judged');
});

test('a violation in a killed slice fails the run', () => {
  const killed = flat.map((sample) => ({ ...sample, violations: ['emission 1 was accepted but lost'] }));
  expect(summarize([...killed, ...sliceOf(1, wave)]).isGood).toBe(false);
});

test('kinds of keys whose number has changed since the warm-up are listed', () => {
  expect(summarize(flat).kinds).toEqual([{ kind: ':order:…', first: 20, last: 49 }]);
});

test('a resumed run reads the samples of the killed one, except for the line that was cut', () => {
  const file = `${freshDir('soak')}.jsonl`;
  const killed = openSamples(file, false);
  for (const sample of flat) killed.append(sample);
  appendFileSync(file, '{"slice":0,"minu');

  const resumed = openSamples(file, true);
  expect(resumed.all).toEqual(flat);
  expect(minutesOf(resumed.all)).toBe(39);
  const next = sliceOf(1, wave)[12]!;
  resumed.append(next);
  expect(openSamples(file, true).all).toEqual([...flat, next]);
  expect(minutesOf(resumed.all)).toBe(51);
});

test('the samples of another run are not overwritten', () => {
  const file = `${freshDir('soak')}.jsonl`;
  openSamples(file, false).append(flat[0]!);
  expect(() => openSamples(file, false)).toThrow('--resume');
});
