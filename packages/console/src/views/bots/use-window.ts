/**
 * Which rows of a long list are drawn: those in sight and some around them. Rows have one height, so that the scroll bar
 * tells the truth; the list moves in steps, so that most scrolling draws nothing.
 */
import { useCallback, useLayoutEffect, useRef, useState, type RefObject } from "react";

/** As in styles/bots.css. */
export const ROW_PX = 58;
/** Up to here everything is drawn, each row as high as it needs. */
export const DRAWN_WHOLE = 100;
const STEP = 4;
const AROUND = 6;

export type Window = {
  readonly place: RefObject<HTMLDivElement | null>;
  readonly onScroll: () => void;
  readonly first: number;
  readonly end: number;
};

export function useWindow(count: number): Window {
  const place = useRef<HTMLDivElement>(null);
  const [top, setTop] = useState(0);
  const [height, setHeight] = useState(800);
  useLayoutEffect(() => {
    const box = place.current;
    if (box === null) return;
    const watcher = new ResizeObserver(() => setHeight(box.clientHeight));
    watcher.observe(box);
    return () => watcher.disconnect();
  }, [count > DRAWN_WHOLE]);
  const onScroll = useCallback(() => {
    const at = Math.floor((place.current?.scrollTop ?? 0) / ROW_PX);
    setTop(at - (at % STEP));
  }, []);
  if (count <= DRAWN_WHOLE) return { place, onScroll, first: 0, end: count };
  // A filter may have shortened the list below where it was scrolled to.
  const from = Math.min(top, Math.max(0, count - 1));
  const first = Math.max(0, from - AROUND);
  return { place, onScroll, first, end: Math.min(count, from + Math.ceil(height / ROW_PX) + STEP + AROUND) };
}
