import { samplingSchema, type GenerateRequest, type Prompt } from '../../preload/contract/index.ts';

const defaults = samplingSchema.parse({});

/** A word as a POSIX shell reads it back unchanged: plain, or in single quotes. */
export function quote(word: string): string {
  if (/^[\w@%+=:,./-]+$/.test(word)) return word;
  return `'${word.replaceAll("'", `'\\''`)}'`;
}

/**
 * The command line that makes the same text: `seed` is the one really used. Options at their
 * defaults are left out.
 */
export function commandLine(request: GenerateRequest, seed: number | null): string {
  const { sampling } = request;
  const words = ['npm', 'run', '--silent', 'lathe', '--', 'generate', quote(request.model)];
  const option = (name: string, value: string | number): void => {
    // A value that begins with a dash stays a value only in one word with its option.
    const separator = String(value).startsWith('-') ? '=' : ' ';
    words.push(`--${name}${separator}${quote(String(value))}`);
  };
  const unless = (name: string, value: number, standard: number): void => {
    if (value !== standard) option(name, value);
  };

  addPrompt(request.prompt, words, option);
  if (request.prefix.length > 0) option('prefix', request.prefix.join(','));
  option('max-tokens', request.maxTokens);
  option('temperature', sampling.temperature);
  unless('top-k', sampling.topK, defaults.topK);
  unless('top-p', sampling.topP, defaults.topP);
  unless('min-p', sampling.minP, defaults.minP);
  unless('typical-p', sampling.typicalP, defaults.typicalP);
  unless('repetition-penalty', sampling.repetitionPenalty, defaults.repetitionPenalty);
  unless('presence-penalty', sampling.presencePenalty, defaults.presencePenalty);
  unless('frequency-penalty', sampling.frequencyPenalty, defaults.frequencyPenalty);
  unless('no-repeat-ngram', sampling.noRepeatNgram, defaults.noRepeatNgram);
  for (const [id, bias] of Object.entries(sampling.logitBias))
    option('logit-bias', `${id}:${bias}`);
  for (const stop of request.stop) option('stop', stop);
  if (request.overflow !== 'stop') option('overflow', request.overflow);
  if (request.form !== 'fused') option('form', request.form);
  const used = seed ?? sampling.seed;
  if (used !== null) option('seed', used);
  return words.join(' ');
}

/** A single message of a user is a prompt; a longer conversation goes as it is. */
function addPrompt(
  prompt: Prompt,
  words: string[],
  option: (name: string, value: string) => void,
): void {
  if (prompt.kind === 'completion') {
    option('prompt', prompt.text);
    return;
  }
  const [first] = prompt.messages;
  if (first?.role === 'user' && prompt.messages.length === 1) {
    words.push('--chat');
    option('prompt', first.content);
  } else {
    option('messages', JSON.stringify(prompt.messages));
  }
}
