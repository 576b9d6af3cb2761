/** Preloaded into the processes by `--leak`: they keep 200 kB more every second. A soak that does not find it is worthless. */
const kept = [];
setInterval(() => {
  kept.push(Array.from({ length: 25_000 }, Math.random));
}, 1_000).unref();
