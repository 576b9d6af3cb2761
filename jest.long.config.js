import all, { LONG_TESTS } from './jest.config.js';

/** `npm run test:long`: only the long tests. */
export default { ...all, testMatch: LONG_TESTS, testPathIgnorePatterns: ['/node_modules/'] };
