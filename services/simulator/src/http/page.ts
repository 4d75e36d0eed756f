export const PAGE = '<!doctype html><title>Simulator</title>'
