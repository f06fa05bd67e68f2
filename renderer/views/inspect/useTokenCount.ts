import { useDebouncedValue } from '@mantine/hooks';
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { modelKey } from '../../state/models.ts';
import { usePart, useStudio } from '../studioContext.ts';

/** Above this the count would be asked for on every pause in typing at a noticeable cost. */
const longestCounted = 100_000;

/** How many tokens the prompt has, and how many the model can read; null while it is not known. */
export function useTokenCount(): { count: number | null; context: number | null } {
  const { inspect, models } = useStudio();
  const model = usePart(inspect.store, (state) => state.model);
  const [prompt] = useDebouncedValue(
    usePart(inspect.store, (state) => state.prompt),
    300,
  );
  const context = usePart(
    models.store,
    (state) => state.models?.find((record) => modelKey(record) === model)?.contextLength ?? null,
  );
  const text = JSON.stringify(prompt);
  const isAsked = model !== null && text.length <= longestCounted;
  const { data } = useQuery({
    queryKey: ['tokens', model, text],
    enabled: isAsked,
    placeholderData: keepPreviousData,
    gcTime: 0,
    queryFn: async ({ signal }) => (await models.tokenize(model ?? '', prompt, signal)).length,
  });
  return { count: isAsked ? (data ?? null) : null, context };
}
