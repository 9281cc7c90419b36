// Bundled in place of packages that another package imports for what we never ask of it: see scripts/build.ts.
module.exports = {};
