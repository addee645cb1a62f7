/** Places put models of one maker into one folder: those of Coppice are found, and told from downloads, by this one. */
export const PUBLISHER = 'coppice';
