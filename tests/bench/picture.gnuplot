# SPDX-License-Identifier: GPL-2.0-or-later
#
# Draws 101 percentiles of idle time: how much of memory has been idle for at most how long. Called by `picture` with
# the files `data` and `output`.
set terminal svg size 900,340 font "sans-serif,13" background "white" noenhanced
set output output
set datafile separator tab
set border 3
set xtics nomirror 0,12.5 format "%g %%"
set xrange [0:100]
set xlabel "share of memory, the most recently accessed first"
# Seconds count near 0, minutes far off.
set nonlinear y via sqrt(y) inverse y**2
set yrange [0:150]
set ytics nomirror ("accessed now" 0, "1 s" 1, "8 s" 8, "40 s" 40, "2 min" 120)
set ylabel "idle for at most"
set grid ytics linecolor rgb "#dddddd"
set key top left reverse Left
set style fill solid 0.85 noborder
below(y, least, most) = y >= least && y < most ? y : NaN
plot data using 1:(below($2, 0, 1) + 0.05) with boxes linecolor rgb 0xb2182b title "hot: idle for less than 1 s", \
     data using 1:(below($2, 1, 60)) with boxes linecolor rgb 0xef8a62 title "warm: 1 s to 1 min", \
     data using 1:(below($2, 60, 1e9)) with boxes linecolor rgb 0x2166ac title "cold: 1 min or longer"
