export const ME_KEY = ['me'];
export const PROFILE_KEY = ['profile'];
