import type { FrameSettings } from '../loader/settings.ts';

export const settings = JSON.parse(document.documentElement.dataset.settings ?? '') as FrameSettings;
export const { texts } = settings;
