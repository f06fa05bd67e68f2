import { LatheError } from '../../preload/contract/errors.ts';
import type { Prompt } from '../../preload/contract/generation.ts';
import { renderChat } from '../tokenizer/chatTemplate.ts';
import type { Tokenizer } from '../tokenizer/tokenizer.ts';

/**
 * The tokens of a prompt as the model reads them: special tokens added to a completion, a chat
 * rendered by the model's template. An empty completion is the begin-of-text token. Throws
 * `template_invalid` where a chat has no template or the template fails, `usage` where there is
 * nothing to begin with.
 */
export async function encodePrompt(tokenizer: Tokenizer, prompt: Prompt): Promise<number[]> {
  const ids = await encode(tokenizer, prompt);
  if (ids.length > 0) return ids;
  if (tokenizer.beginOfText !== null) return [tokenizer.beginOfText];
  throw new LatheError('usage', 'the prompt is empty, and this model has no begin-of-text token');
}

async function encode(tokenizer: Tokenizer, prompt: Prompt): Promise<number[]> {
  if (prompt.kind === 'completion') return tokenizer.encode(prompt.text, { specials: true });
  if (tokenizer.chatTemplate === null)
    throw new LatheError('template_invalid', 'this model has no chat template');
  const { messages } = prompt;
  const variables = { messages, tokens: tokenizer.templateTokens, addGenerationPrompt: true };
  // The template writes the special tokens itself.
  const text = await renderChat(tokenizer.chatTemplate, variables);
  return tokenizer.encode(text, { specials: false });
}
