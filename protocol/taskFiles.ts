/** Commands of the editor that the files of tasks and suites offer above their first line; the server names them, the editor has them. */
export const fileCommands = {
  prepare: 'codexCoach.prepareTask',
  run: 'codexCoach.startRun',
  validate: 'codexCoach.validateTask',
  review: 'codexCoach.reviewDiff',
  runSuite: 'codexCoach.runSuite',
} as const;

/** Files of tasks and suites that the server knows the language of, as globs in a repository. */
export const taskFileGlobs = [
  '**/.coach/tasks/prepared/*/{task,rubric}.toml',
  '**/.coach/tasks/prepared/*/tests/expected.json',
  '**/.coach/tasks/created/*/tb_meta.json',
  '**/.coach/suites/*.toml',
] as const;
