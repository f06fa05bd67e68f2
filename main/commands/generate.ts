import {
  generateRequestSchema,
  type FinishReason,
  type GeneratedToken,
  type GenerateRequest,
  type Timing,
} from '../../preload/contract/generation.ts';
import { onlyPositional, refusedBy, toNumber, UsageError, type Arguments } from './arguments.ts';
import { interruptedCode, type Command } from './command.ts';
import { modelOf } from './model.ts';
import {
  milliseconds,
  note,
  noteProgress,
  print,
  printJson,
  table,
  tellsProgress,
} from './output.ts';
import { promptOf, promptOptions } from './prompt.ts';
import { formOf } from './show.ts';

/** Options that are a number of the sampling, by their names there. */
const samplingOptions = {
  temperature: ['temperature', '0 takes the most probable token (default: 1)'],
  'top-k': ['topK', 'keep the X most probable tokens (default: all)'],
  'top-p': ['topP', 'keep the fewest tokens whose probabilities sum to X (default: 1)'],
  'min-p': ['minP', 'keep tokens at least X times as probable as the best (default: 0)'],
  'typical-p': ['typicalP', 'keep tokens of typical information content up to X (default: 1)'],
  'repetition-penalty': ['repetitionPenalty', 'divide the logits of tokens seen (default: 1)'],
  'presence-penalty': ['presencePenalty', 'subtract from tokens generated before (default: 0)'],
  'frequency-penalty': ['frequencyPenalty', 'subtract as often as generated before (default: 0)'],
  'no-repeat-ngram': ['noRepeatNgram', 'never repeat an n-gram of this length (default: off)'],
  seed: ['seed', 'same seed, same text (default: drawn)'],
} as const;

export const command: Command = {
  summary: 'go on from a prompt',
  synopsis: '<model> --prompt T | --prompt-file F [--chat] [--max-tokens N] …',
  options: {
    ...promptOptions,
    prefix: { placeholder: 'IDS', help: 'token ids to go on behind after the prompt: 5,6,7' },
    'max-tokens': { placeholder: 'N', help: 'stop after N tokens (default: 256)' },
    ...Object.fromEntries(
      Object.entries(samplingOptions).map(([name, [, help]]) => [name, { placeholder: 'X', help }]),
    ),
    'logit-bias': {
      placeholder: 'ID:X',
      multiple: true,
      help: 'add X to the logit of a token; may be given again',
    },
    stop: {
      placeholder: 'T',
      multiple: true,
      help: 'end before this text; may be given again',
    },
    overflow: { placeholder: 'stop|slide', help: 'at the end of the context (default: stop)' },
    logprobs: { placeholder: 'K', help: 'report the K best alternatives of every token' },
    form: { placeholder: 'fused|plain', help: 'which graph to run (default: fused)' },
  },
  usesRunner: true,

  check(args) {
    onlyPositional(args, 'model');
    requestOf(args);
  },

  async run({ args, engine, json, signal }) {
    const client = await engine();
    const model = await modelOf(onlyPositional(args, 'model'), client);
    const tokens: GeneratedToken[] = [];
    let ended: { text: string; reason: FinishReason; timing: Timing } | null = null;
    let seed = 0;
    for await (const event of await client.generate({ ...requestOf(args), model }, { signal })) {
      switch (event.kind) {
        case 'progress':
          if (tellsProgress(json)) noteProgress(event);
          break;
        case 'start':
          seed = event.seed;
          break;
        case 'token':
          tokens.push(event);
          if (!json) process.stdout.write(event.text);
          break;
        case 'finish':
          ended = event;
      }
    }
    if (ended === null) throw new Error('generation ended without a finish');
    const { text, reason, timing } = ended;
    if (json) {
      printJson({ text, tokens: tokens.map(withoutTimes), finish: reason, timing });
    } else {
      print('');
      if (args.has('logprobs')) print(`\n${tokenTable(tokens)}`);
      note(`\n${summary(tokens.length, timing)}; seed ${seed}; ${reason}`);
    }
    return reason === 'cancelled' ? interruptedCode : 0;
  },
};

function requestOf(args: Arguments): Omit<GenerateRequest, 'model'> {
  const sampling = Object.fromEntries(
    Object.entries(samplingOptions).flatMap(([option, [name]]) => {
      const value = args.number(option);
      return value === undefined ? [] : [[name, value]];
    }),
  );
  const maxTokens = args.number('max-tokens');
  const alternatives = args.number('logprobs');
  const overflow = args.text('overflow') ?? 'stop';
  if (overflow !== 'stop' && overflow !== 'slide') {
    throw new UsageError(`--overflow must be stop or slide: ${overflow}`);
  }
  const typed = {
    prompt: promptOf(args),
    prefix: idsOf(args.text('prefix') ?? ''),
    sampling: { ...sampling, logitBias: Object.fromEntries(args.texts('logit-bias').map(biasOf)) },
    stop: args.texts('stop'),
    overflow,
    form: formOf(args),
    ...(maxTokens === undefined ? {} : { maxTokens }),
    ...(alternatives === undefined ? {} : { alternatives }),
  };
  const asked = generateRequestSchema.omit({ model: true });
  const { data, error } = asked.safeParse(typed, { reportInput: true });
  if (data !== undefined) return data;
  throw refusedBy(error, optionOf);
}

/** `sampling.topK` → `top-k` */
function optionOf([field, rule]: readonly string[]): string {
  const name = field === 'sampling' ? rule : field;
  return optionNames.get(name) ?? name;
}

const optionNames = new Map<string, string>([
  ...Object.entries(samplingOptions).map(([option, [name]]): [string, string] => [name, option]),
  ['logitBias', 'logit-bias'],
  ['maxTokens', 'max-tokens'],
  ['alternatives', 'logprobs'],
]);

function idsOf(text: string): number[] {
  if (text === '') return [];
  if (!/^\d+(,\d+)*$/.test(text)) {
    throw new UsageError(`--prefix must be token ids with commas, as in 5,6,7: ${text}`);
  }
  return text.split(',').map(Number);
}

function biasOf(pair: string): [string, number] {
  const [, id, bias] = /^(\d+):(.+)$/.exec(pair) ?? [];
  if (id === undefined || bias === undefined) {
    throw new UsageError(`--logit-bias must be ID:X, as in 42:-1.5: ${pair}`);
  }
  return [id, toNumber(bias, '--logit-bias')];
}

const withoutTimes = ({ id, text, logprob, alternatives }: GeneratedToken) => ({
  id,
  text,
  logprob,
  alternatives,
});

const percent = (logprob: number): string => `${(100 * Math.exp(logprob)).toFixed(1)} %`;

function tokenTable(tokens: readonly GeneratedToken[]): string {
  const rows = tokens.map((token) => [
    String(token.id),
    JSON.stringify(token.text),
    percent(token.logprob),
    token.alternatives
      .map((other) => `${JSON.stringify(other.text)} ${percent(other.logprob)}`)
      .join(', '),
  ]);
  return table(['id', 'text', 'probability', 'alternatives'], rows);
}

function summary(count: number, { loadMs, ttftMs, msPerToken, tokensPerSecond }: Timing): string {
  return [
    `${count} tokens`,
    ...(msPerToken === undefined ? [] : [`${milliseconds(msPerToken)} per token`]),
    ...(tokensPerSecond === undefined ? [] : [`${tokensPerSecond.toFixed(1)} tokens per second`]),
    `first token after ${milliseconds(ttftMs)}`,
    `loaded in ${milliseconds(loadMs)}`,
  ].join(', ');
}
