/** Entry file of the seeding process: `seed.ts <MongoDB URI> <time zone>`. Its last line of output is the JSON of a `SeedResult`. */
import { seedDemo } from './seed-demo.ts';

const [uri = '', timeZone = 'UTC'] = process.argv.slice(2);
console.log(JSON.stringify(await seedDemo(uri, timeZone, new Date())));
