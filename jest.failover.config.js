import all, { FAILOVERS } from './jest.config.js';

/** `npm run test:failover`: the tests of half a minute and more, which are too long for `npm test`. */
export default { ...all, testMatch: FAILOVERS, testPathIgnorePatterns: ['/node_modules/'] };
