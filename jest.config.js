/** Half a minute and more each: `npm run test:failover`. */
export const FAILOVERS = [
  '**/test/cluster/failover.test.ts',
  '**/test/cluster/sentinel.test.ts',
  '**/test/chaos/scaling.test.ts',
];

/** Native ESM: run through `npm test`, which sets NODE_OPTIONS=--experimental-vm-modules. */
export default {
  roots: ['<rootDir>/test'],
  testMatch: ['**/*.test.ts', ...FAILOVERS.map((path) => `!${path}`)],
  testEnvironment: 'node',
  extensionsToTreatAsEsm: ['.ts'],
  transform: {
    '^.+\\.ts$': ['@swc/jest', { jsc: { target: 'es2022', parser: { syntax: 'typescript' } } }],
  },
  globalSetup: '<rootDir>/test/harness/global-setup.mjs',
  globalTeardown: '<rootDir>/test/harness/global-teardown.mjs',
  testTimeout: 60_000,
  maxWorkers: 2,
};
