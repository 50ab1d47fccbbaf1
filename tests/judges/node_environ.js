// Run as `node --env-file=FILE node_environ.js`: prints the environment, NUL-separated.
process.stdout.write(Object.entries(process.env).map(([name, value]) => `${name}=${value}\0`).join(""));
