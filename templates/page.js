(()=>{const d=document,r=d.documentElement,tip=d.getElementById("tip");r.classList.remove("no-js");
d.getElementById("theme").onclick=()=>{const dark=r.dataset.theme?r.dataset.theme==="dark":matchMedia("(prefers-color-scheme:dark)").matches;r.dataset.theme=dark?"light":"dark"};
d.getElementById("print").onclick=()=>print();
d.addEventListener("pointermove",e=>{const m=e.target.closest&&e.target.closest("[data-tip]");if(!m){tip.style.display="none";return}
tip.textContent=m.dataset.tip;tip.style.display="block";tip.style.left=Math.min(e.clientX+14,innerWidth-290)+"px";tip.style.top=e.clientY+16+"px"});
const save=(name,text,type)=>{const a=d.createElement("a");a.href=URL.createObjectURL(new Blob([text],{type}));a.download=name;a.click();setTimeout(()=>URL.revokeObjectURL(a.href),1e3)};
const safe=s=>/^[=+@\t\r-]/.test(s)&&isNaN(s)?"'"+s:s.replace(/^−(?=[\d.]+$)/,"-");
const quote=t=>{const s=safe(t);return/[",\n]/.test(s)?'"'+s.replace(/"/g,'""')+'"':s};
d.querySelectorAll("[data-save]").forEach(b=>{if(!b.closest("figure").querySelector(b.dataset.save==="csv"?"details table":"svg[role=img]"))b.remove()});
d.querySelectorAll("[data-save]").forEach(b=>b.onclick=()=>{const f=b.closest("figure");
if(b.dataset.save==="csv")save(f.id+".csv",[...f.querySelectorAll("details table tr")].map(t=>[...t.cells].map(c=>quote(c.textContent.trim())).join(",")).join("\n")+"\n","text/csv");
else{const css=d.querySelector("style[data-look]").textContent;f.querySelectorAll("svg[role=img]").forEach((s,i)=>{const c=s.cloneNode(true),w=s.closest(".strips");if(w){c.setAttribute("viewBox",w.dataset.whole);[...w.children].slice(1).forEach(o=>c.append(...o.cloneNode(true).childNodes))}c.setAttribute("xmlns","http://www.w3.org/2000/svg");const st=d.createElementNS("http://www.w3.org/2000/svg","style");st.textContent=css;c.prepend(st);save(f.id+(i?"-"+i:"")+".svg",c.outerHTML,"image/svg+xml")})}})})();
