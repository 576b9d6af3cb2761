/**
 * Measures what tracing costs an emission in memory: accept, read, encode and publish, without servers. Each contender runs in
 * processes of its own, in turn with the others, since an SDK changes how the whole process handles promises.
 * Usage: `node --import tsx bench/tracing.ts [folder]`, with the sources of another commit as `folder`. Prints CPU time per emission,
 * and its ratio to that commit, or else to this one without an SDK.
 */
import { execFileSync } from 'node:child_process';
import { join, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { NodeTracerProvider, TraceIdRatioBasedSampler } from '@opentelemetry/sdk-trace-node';
import type * as AcceptEmission from '../src/accept/accept-emission.ts';
import type * as TraceAccept from '../src/accept/trace-accept.ts';
import type * as EmitAppointment from '../src/emission/emit-appointment.ts';
import type * as Encode from '../src/emission/encode.ts';
import type * as TraceEmissions from '../src/emission/trace-emissions.ts';
import type * as LoadTracing from '../src/tracing/load-tracing.ts';
import { SOURCE_ARGS } from '../scripts/source-args.mjs';
import { median } from './harness/figures.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const EMISSIONS = 30_000;
const ROUNDS = 9;
const CONTENDERS: Readonly<Record<string, number | undefined>> = {
  'no SDK': undefined,
  '1 % sampled': 0.01,
  'all sampled': 1,
};
const [first, second, folder] = process.argv.slice(2);

if (first === '--run') console.log(await measure(second ?? '', folder ?? ROOT));
else printRatios(first);

function printRatios(other: string | undefined): void {
  const runs = [
    ...(other === undefined ? [] : [{ name: 'the other commit', args: ['no SDK', resolve(other)] }]),
    ...Object.keys(CONTENDERS).map((name) => ({ name, args: [name, ROOT] })),
  ].map((run) => ({ ...run, ns: [] as number[] }));
  for (let round = 0; round < ROUNDS; round += 1) {
    // The order changes, so that a machine that slows down affects all.
    for (const { args, ns } of round % 2 === 0 ? runs : runs.toReversed()) {
      const own = [...SOURCE_ARGS, fileURLToPath(import.meta.url), '--run', ...args];
      ns.push(Number(execFileSync(process.execPath, own, { cwd: ROOT, encoding: 'utf8' })));
    }
  }
  const [base] = runs;
  for (const { name, ns } of runs) {
    const ratio = median(ns.map((value, round) => value / (base?.ns[round] ?? value)));
    console.log(`${name}: ${(median(ns) / 1_000).toFixed(1)} µs, ratio ${ratio.toFixed(2)}`);
  }
}

/** Resolves to nanoseconds of CPU time per emission. */
async function measure(contender: string, root: string): Promise<number> {
  const share = CONTENDERS[contender];
  if (share !== undefined) {
    new NodeTracerProvider({ sampler: new TraceIdRatioBasedSampler(share) }).register();
  }
  const load = <T>(path: string) => import(pathToFileURL(join(root, 'src', path)).href) as Promise<T>;
  const { createAcceptEmissions } = await load<typeof AcceptEmission>('accept/accept-emission.ts');
  const { createEmitAppointment } = await load<typeof EmitAppointment>('emission/emit-appointment.ts');
  const { createEncodeMessage } = await load<typeof Encode>('emission/encode.ts');
  const companyId = 'c'.repeat(24);
  const readSnapshots: EmitAppointment.EmitAppointmentDeps['readSnapshots'] = () =>
    Promise.resolve({ readId: 'r'.repeat(16), claims: new Map(), failed: new Map(), snapshots: new Map() });
  const emit = {
    readSnapshots,
    encode: createEncodeMessage('bench'),
    publish: (_company, _read, messages) =>
      Promise.resolve(messages.map((_, offset) => ({ epoch: 'e'.repeat(16), offset, gateways: 1 }))),
    packReferences: () => '',
    isUnavailable: () => false,
    pause: () => Promise.resolve(),
  } satisfies EmitAppointment.EmitAppointmentDeps;
  const acceptDeps: AcceptEmission.AcceptDeps = {
    findCompanies: (ids) => Promise.resolve(ids.map(() => companyId)),
    async enqueue(emissions) {
      await Promise.all(
        emissions.map((emission) =>
          emitAppointment({ ...emission, attempt: 1, isRepeated: () => false, isLive: true }),
        ),
      );
      return emissions.map(() => 'live' as const);
    },
    priority: { live: 0, batch: 1 },
    isFull: () => false,
    pacer: { live: (run) => run(), bulk: (run) => run() },
    isOverShare: () => false,
    isNearLimit: () => false,
    onAccepted: () => undefined,
  };
  let accept = createAcceptEmissions(acceptDeps);
  let emitAppointment = createEmitAppointment(emit);
  if (share !== undefined) {
    const { loadTracing } = await load<typeof LoadTracing>('tracing/load-tracing.ts');
    const { traceAccept } = await load<typeof TraceAccept>('accept/trace-accept.ts');
    const { createTracePublish, traceReads } = await load<typeof TraceEmissions>(
      'emission/trace-emissions.ts',
    );
    const tracing = loadTracing();
    if (!tracing) throw new Error('no SDK is registered');
    accept = traceAccept(accept, tracing);
    emitAppointment = createEmitAppointment({
      ...emit,
      readSnapshots: traceReads(readSnapshots, tracing),
      tracePublish: createTracePublish(tracing),
    });
  }

  const context = { isRepeat: false, seed: undefined, progress: undefined };
  const emitAll = async (count: number): Promise<void> => {
    for (let sent = 0; sent < count; sent += 1) {
      await accept.one({ event: 'appointment:updated', appointmentId: 'a'.repeat(24) }, context);
    }
  };
  await emitAll(EMISSIONS / 3);
  const before = process.cpuUsage();
  await emitAll(EMISSIONS);
  const { user, system } = process.cpuUsage(before);
  return ((user + system) * 1_000) / EMISSIONS;
}
