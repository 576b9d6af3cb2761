import { SOURCE_CONDITION } from './scripts/source-args.mjs';

/** Tests of half a minute and more, which are too long for `npm test`: `npm run test:long`. */
export const LONG_TESTS = [
  '**/test/resilience/cluster/failover.test.ts',
  '**/test/resilience/cluster/sentinel.test.ts',
  '**/test/resilience/cluster/shards.test.ts',
  '**/trials/chaos/scaling.test.ts',
  '**/trials/chaos/growing-shards.test.ts',
  '**/trials/capture/short-run.test.ts',
  '**/test/operate/hidden-states.test.ts',
  '**/test/realtime/heartbeat.test.ts',
  '**/test/resilience/outage-lines.test.ts',
  '**/test/sweep/clocks.test.ts',
  '**/test/packages/*.test.ts',
  '**/test/clients/*.test.ts',
  '**/test/docs/readme-production.test.ts',
  '**/test/sweep/left-out.test.ts',
  '**/test/resilience/cluster/features.test.ts',
  '**/test/resilience/logs.test.ts',
  '**/test/resilience/process-end.test.ts',
  '**/test/operate/redis-tls.test.ts',
  '**/test/embedded/example-recovery.test.ts',
  '**/test/sweep/gone.test.ts',
  '**/test/resilience/worker-dies.test.ts',
  '**/test/resilience/redis-away.test.ts',
  '**/test/sweep/damaged-state.test.ts',
  '**/test/capture/capture.test.ts',
  '**/test/resilience/redis-database.test.ts',
  '**/test/resilience/sweep.test.ts',
  '**/test/operate/clocks.test.ts',
  '**/test/embedded/example-in-browser.test.ts',
  '**/test/resilience/mongo-away.test.ts',
  '**/test/resilience/redis-lost.test.ts',
];

/** Native ESM: run through `npm test`, which sets NODE_OPTIONS=--experimental-vm-modules. */
export default {
  roots: ['<rootDir>/test', '<rootDir>/trials'],
  testMatch: ['**/*.test.ts', ...LONG_TESTS.map((path) => `!${path}`)],
  testEnvironment: 'node',
  testEnvironmentOptions: { customExportConditions: [SOURCE_CONDITION, 'node', 'node-addons'] },
  extensionsToTreatAsEsm: ['.ts'],
  transform: {
    '^.+\\.ts$': ['@swc/jest', { jsc: { target: 'es2022', parser: { syntax: 'typescript' } } }],
  },
  globalSetup: '<rootDir>/test/harness/global-setup.mjs',
  globalTeardown: '<rootDir>/test/harness/global-teardown.mjs',
  testTimeout: 60_000,
  maxWorkers: 2,
};
