/** How many videos are asked for, from 1. */
export const videos = 200
