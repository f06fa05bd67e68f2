import { useDebouncedValue } from '@mantine/hooks';
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { promptOf } from '../../state/draft.ts';
import { usePart, useStudio } from '../studioContext.ts';

/** Above this the count would be asked for on every pause in typing at a noticeable cost. */
const longestCounted = 100_000;

/** How many tokens the prompt has; null while it is not known or cannot be. */
export function useTokenCount(): number | null {
  const { draft, models } = useStudio();
  const [state] = useDebouncedValue(
    usePart(draft.store, (current) => current),
    300,
  );
  const prompt = promptOf(state);
  const text = JSON.stringify(prompt);
  const { model } = state;
  const isAsked =
    model !== null &&
    text.length <= longestCounted &&
    (prompt.kind === 'completion' || prompt.messages.length > 0);
  const { data } = useQuery({
    queryKey: ['tokens', model, text],
    enabled: isAsked,
    placeholderData: keepPreviousData,
    gcTime: 0,
    queryFn: async ({ signal }) => (await models.tokenize(model ?? '', prompt, signal)).length,
  });
  return isAsked ? (data ?? null) : null;
}
