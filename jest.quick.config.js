import all from './jest.config.js';

/** `npm run test:quick`: without tests that stop servers, start whole instances, open a browser or try thousands of schedules. */
export default {
  ...all,
  testPathIgnorePatterns: [
    '/node_modules/',
    '/test/(resilience|scripts)/',
    '-away\\.',
    'chaos',
    'in-browser',
    '\\.property\\.',
  ],
};
