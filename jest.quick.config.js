import all from './jest.config.js';

/** `npm run test:quick`: all but what stops servers, starts whole instances, walks the page in a browser or tries thousands of schedules. */
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
