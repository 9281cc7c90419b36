import { describe, expect, it } from 'vitest';
import { LastWords } from '../../../../server/bench/trials/lastWords.ts';

function wordsAfter(text: string): LastWords {
  const words = new LastWords();
  words.push(Buffer.from(text));
  return words;
}

describe('the last words of an agent', () => {
  it.each([
    'Allow execution of "rm -rf build"? (y/N)',
    'Continue? [Y/n] ',
    'Do you trust the files in this folder?',
    'Password: ',
    'Enter the authorization code: ',
    'Press Enter to continue…',
    'Please sign in: visit https://example.com/device in your browser',
    'Waiting for authentication… (Press ESC to cancel)',
    'This tool requires approval',
    'Overwrite src/a.js? (yes/no/always)',
  ])('are a question to a person: %s', text => {
    expect(wordsAfter(`Starting.\n${text}`).question()).toBe(text.trim());
  });

  it.each([
    '',
    'Running the tests',
    'npm warn deprecated x',
    '{"type":"text","text":"Do you want me to go on?"}',
    'Logged in as a@example.com',
    'Password: \nAccepted.',
    'What does this function do?',
    'The password field is checked in src/login.js',
    'Allowing y/n answers in prompts',
  ])('are none: %s', text => {
    expect(wordsAfter(text).question()).toBeNull();
  });

  it('are bounded, without colours, in whatever pieces they come', () => {
    const words = wordsAfter('x'.repeat(1_000_000));
    for (const byte of Buffer.from('\n\u001b[31mÜber Continue? (y/n)\u001b[0m')) words.push(Buffer.from([byte]));
    expect(words.question()).toBe('Über Continue? (y/n)');
    expect(wordsAfter('y'.repeat(9000)).last()).toHaveLength(200);
  });
});
